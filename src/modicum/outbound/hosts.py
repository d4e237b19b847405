"""Which hosts may be spoken to, and how: those that a person named, and no others."""

import ssl
from base64 import b64encode
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from modicum.calls.errors import UserError
from modicum.outbound.open_files import no_file_left

PORTS = {"http": 80, "https": 443}
_IN_ADDRESS = "/%:@!$&'()*+,;=~?"
"""Stands in an address as it is."""


class Origin:
    """Where a host listens.

    Args:
        trust: what its certificate is checked with; None: what this machine believes.
    """

    __slots__ = ("_trust", "authority", "host", "port", "tls")

    def __init__(self, host: str, port: int, *, tls: bool, trust: ssl.SSLContext | None = None) -> None:
        self.host, self.port, self.tls, self._trust = host, port, tls, trust
        bracketed = f"[{host}]" if ":" in host else host
        usual = PORTS["https"] if tls else PORTS["http"]
        self.authority = (bracketed if port == usual else f"{bracketed}:{port}").encode("ascii")

    @property
    def trust(self) -> ssl.SSLContext | None:
        """What its certificate is checked with; None: it is spoken to without TLS."""
        if not self.tls:
            return None
        return self._trust or _trust_of_machine()


def trust_in(certificates: str) -> ssl.SSLContext:
    """Believes the authorities in this text (PEM), and no others.

    Raises:
        ssl.SSLError, ValueError: it holds none.
    """
    return ssl.create_default_context(cadata=certificates)


_of_machine: list[ssl.SSLContext] = []


def _trust_of_machine() -> ssl.SSLContext:
    """The authorities that this machine believes, read once."""
    if _of_machine:
        return _of_machine[0]
    context = ssl.create_default_context()
    if not no_file_left():  # else it may know no authority, for want of a file: not to be kept
        _of_machine.append(context)
    return context


class Address(NamedTuple):
    """A web address, taken apart."""

    origin: Origin
    target: bytes
    """Path and query, as they stand in a request."""
    shown: str
    """The address without what may be a secret in it."""
    credentials: bytes
    """The header `authorization`, if the address has a user in it; empty: it has none."""


class AllowedHosts:
    """The hosts and ports of the given addresses."""

    def __init__(self, urls: Iterable[str]) -> None:
        self._origins: dict[tuple[str, str, int], Origin] = {}
        for url in urls:
            place = _place(split_address(url))
            self._origins.setdefault(place, origin_at(url))

    def check(self, url: str) -> Address:
        """Refuses an address that nobody named.

        Raises:
            UserError: its host or port was not allowed, or it is no web address.
        """
        parts = split_address(url)
        place = _place(parts)
        origin = self._origins.get(place)
        if origin is None:
            known = ", ".join(sorted(f"{host}:{port}" for _, host, port in self._origins)) or "none"
            raise UserError(f"{place[1]}:{place[2]} was not named as a host to speak to (allowed: {known})")
        target = quote(parts.path or "/", safe=_IN_ADDRESS)
        if parts.query:
            target += "?" + quote(parts.query, safe=_IN_ADDRESS)
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        return Address(origin, target.encode("ascii"), shown, _credentials(parts))


def origin_at(url: str, trust: ssl.SSLContext | None = None) -> Origin:
    """The origin of a web address.

    Raises:
        UserError: it is no web address.
    """
    scheme, host, port = _place(split_address(url))
    return Origin(host, port, tls=scheme == "https", trust=trust)


def split_address(url: str) -> SplitResult:
    """The parts of a web address, of which scheme and host are there.

    Raises:
        UserError: it is no web address.
    """
    try:
        parts = urlsplit(url)
        _place(parts)
    except ValueError:  # also of a host that no name can be
        raise UserError(f"'{url:.80}' is no web address; write it as http://host:8000") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise UserError(f"'{url:.80}' is no web address; write it as http://host:8000")
    return parts


def _place(parts: SplitResult) -> tuple[str, str, int]:
    host = parts.hostname or ""
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    return parts.scheme, host, parts.port or PORTS.get(parts.scheme, 0)


def _credentials(parts: SplitResult) -> bytes:
    if parts.username is None:
        return b""
    return b"Basic " + b64encode(f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode())
