"""`[console]`: where the ledger process listens, and where the console's pages are."""

import math
from urllib.parse import urlsplit

import msgspec

from modicum.calls import UserError
from modicum.settings.addresses import host_and_port
from modicum.settings.oidc import OidcSettings, oidc_fault

MOST_HOURS = 720
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class ConsoleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The section `[console]` of the settings."""

    listen: str = "127.0.0.1:4100"
    """Host and port of the ledger process, which has `/metrics`."""
    pages_listen: str = "127.0.0.1:4101"
    """The address of the console's pages; empty: `modicum up` shows none."""
    public_url: str = ""
    """Where a proxy of yours shows the pages to others, as `https://spend.example.com`; needs users. Empty: none
    does."""
    session_hours: float = 12.0
    """How long somebody who logged in stays so."""
    oidc: OidcSettings = OidcSettings()
    """An identity provider whose accounts log in (`[console.oidc]`)."""


def console_fault(console: ConsoleSettings) -> tuple[str, str] | None:
    """The setting that is wrong, and what it must be."""
    parts = urlsplit(console.public_url)
    if console.public_url and (
        parts.scheme != "https" or not parts.hostname or parts.path not in {"", "/"} or parts.query or parts.username
    ):
        return "public_url", "must be https://HOST or https://HOST:PORT: passwords go over it"
    if not (math.isfinite(console.session_hours) and 0 < console.session_hours <= MOST_HOURS):
        return "session_hours", f"must be a number above 0 and at most {MOST_HOURS}, that is 30 days"
    fault = oidc_fault(console.oidc)
    return None if fault is None else (f"oidc.{fault[0]}", fault[1])


def pages_address(address: str, setting: str = "console.pages_listen") -> tuple[str, int]:
    """Host and port of the console's pages, which speak no TLS of their own.

    Raises:
        UserError: it is no address, or one that others reach.
    """
    host, port = host_and_port(setting, address)
    if host.lower() not in LOOPBACK:
        raise UserError(
            f"{setting} '{address}' could be opened by others without encryption: write 127.0.0.1:{port}, and let "
            f"others in through ssh (ssh -L {port}:127.0.0.1:{port} HOST) or "
            "a proxy with TLS (public_url, docs/console.md)"
        )
    return host.lower(), port
