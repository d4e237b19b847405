"""TLS on both sides: the certificate that callers are shown, and the authorities that upstreams are believed by.

Everything that is TLS is Python's `ssl`. Nothing older than TLS 1.2 is spoken, and HTTP/1.1 is the one protocol to
agree on.
"""

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from modicum.calls import UserError
from modicum.outbound.hosts import trust_in
from modicum.settings import Settings, beside_settings, place_of

HANDSHAKE_WITHIN_S = 20.0
_Stamp = tuple[tuple[int, int, int], ...]


class TlsListener:
    """What a listener needs to speak TLS. Its context stays while the certificate is renewed; who is connected keeps
    the one that it was shown.

    Raises:
        UserError: certificate or key are of no use; the message says where they are set.
    """

    def __init__(self, settings: Settings) -> None:
        self._files = _files(settings)
        self._stamp = _stamp(self._files)
        self._shown = _server_context(settings)
        self.context = _server_context(settings)
        self.context.sni_callback = self._show

    def renew(self, settings: Settings) -> None:
        """Shows new callers what the files hold now.

        Raises:
            UserError: they are of no use; the old certificate stays.
        """
        self._files = _files(settings)
        self._stamp = _stamp(self._files)
        self._shown = _server_context(settings)

    def changed(self) -> bool:
        """Whether the files are no longer those that were read last."""
        return _stamp(self._files) != self._stamp

    def _show(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._shown


def listener_of(settings: Settings) -> TlsListener | None:
    """The TLS of our listener; None: it speaks plain HTTP.

    Raises:
        UserError: certificate or key are of no use.
    """
    return TlsListener(settings) if settings.gateway.tls_certificate_file else None


def trust_of(settings: Settings, upstream: str) -> ssl.SSLContext | None:
    """Where an upstream has an authority of its own: that one is believed there, and no other; its host is checked as
    everywhere. None: those that this machine believes.

    Raises:
        UserError: the file is of no use.
    """
    one = settings.upstreams.get(upstream)
    if one is None or not one.ca_file:
        return None
    place, path = place_of(settings, f"upstreams.{upstream}", "ca_file"), beside_settings(settings, one.ca_file)
    if not one.url.startswith("https:"):
        raise UserError(f"{place} is of no use: {one.url} is spoken to without TLS; write its url with https")
    try:
        return trust_in(_read(place, path).decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise UserError(f"{place}: {path} holds no certificates as PEM ({_reason(error)})") from None


class Shown(NamedTuple):
    """What callers are shown."""

    names: list[str]
    until: datetime


def shown(settings: Settings) -> Shown:
    """The names and the end of the certificate that is set.

    Raises:
        UserError: certificate or key are of no use, or its time is over or not yet come.
    """
    arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = _server_context(settings).wrap_bio(arriving, leaving, server_side=True)
    caller = caller_context(settings).wrap_bio(leaving, arriving)
    # Python tells what a certificate holds to those only who were shown it.
    for side in (caller, server, caller):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError as error:
            place = place_of(settings, "gateway", "tls_certificate_file")
            raise UserError(f"{place}: callers will not believe it: {error.verify_message}") from None
    fields: dict[str, Any] = caller.getpeercert() or {}
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(fields["notAfter"]), UTC)
    return Shown([name for _, name in fields.get("subjectAltName", ())], until)


def caller_context(settings: Settings) -> ssl.SSLContext:
    """For a caller on this machine: believes the very certificate that is set, under whichever name.

    Raises:
        UserError: there is none in its file.
    """
    file, place = _files(settings)[0], place_of(settings, "gateway", "tls_certificate_file")
    _read(place, file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(file)
    except ssl.SSLError as error:
        raise UserError(f"{place}: {file} holds no certificate as PEM ({_reason(error)})") from None
    return context


def _server_context(settings: Settings) -> ssl.SSLContext:
    certificate, key = _files(settings)
    at_certificate = place_of(settings, "gateway", "tls_certificate_file")
    at_key = place_of(settings, "gateway", "tls_key_file") if settings.gateway.tls_key_file else at_certificate
    if b"-----BEGIN CERTIFICATE-----" not in _read(at_certificate, certificate):
        raise UserError(f"{at_certificate}: {certificate} holds no certificate as PEM (-----BEGIN CERTIFICATE-----)")
    if b"PRIVATE KEY-----" not in _read(at_key, key):
        raise UserError(f"{at_key}: {key} holds no private key as PEM (-----BEGIN PRIVATE KEY-----)")

    def locked() -> str:
        raise UserError(f"{at_key}: {key} has a passphrase; write the key without one: openssl pkey -in {key}")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=locked)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise UserError(f"{at_key}: the key in {key} is not the one of the certificate in {certificate}") from None
        raise UserError(f"{at_certificate}: {certificate} with {key} cannot be used: {_reason(error)}") from None
    return context


def _files(settings: Settings) -> tuple[Path, Path]:
    """Certificate and key."""
    certificate = beside_settings(settings, settings.gateway.tls_certificate_file)
    key = settings.gateway.tls_key_file
    return certificate, beside_settings(settings, key) if key else certificate


def _read(place: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{place}: {path} cannot be read: {error.strerror}") from None


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return reason.lower().replace("_", " ") if isinstance(reason, str) else "the file is damaged"


def _stamp(files: tuple[Path, ...]) -> _Stamp:
    """Changes when one of the files does."""
    stamps = []
    for file in files:
        try:
            state = file.stat()
        except OSError:
            stamps.append((0, 0, 0))
        else:
            stamps.append((state.st_mtime_ns, state.st_size, state.st_ino))
    return tuple(stamps)
