"""Which hosts may be spoken to: those that a person named, and no others."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from modicum.calls.errors import UserError

PORTS = {"http": 80, "https": 443}


class AllowedHosts:
    """The hosts and ports of the given addresses."""

    def __init__(self, urls: Iterable[str]) -> None:
        self._places = {_place(url) for url in urls}

    def check(self, url: str) -> None:
        """Refuses an address that nobody named.

        Raises:
            UserError: its host or port was not allowed, or it is no web address.
        """
        place = _place(url)
        if place not in self._places:
            known = ", ".join(sorted(f"{host}:{port}" for _, host, port in self._places)) or "none"
            raise UserError(f"{place[1]}:{place[2]} was not named as a host to speak to (allowed: {known})")


def _place(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UserError(f"'{url:.80}' is no web address; write it as http://host:8000") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise UserError(f"'{url:.80}' is no web address; write it as http://host:8000")
    return parts.scheme, parts.hostname, port or PORTS[parts.scheme]
