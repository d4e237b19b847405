"""`[state]`: where calls that run at once are counted together."""

from typing import Literal
from urllib.parse import urlsplit

import msgspec

MOST_PREFIX = 64


class StateSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[state]`. Read when a gateway starts."""

    redis: str = ""
    """The Redis or Valkey that several workers or hosts share: redis://user:password@host:6379/0, rediss:// with TLS,
    or unix:///path. Empty: the gateway's memory, for one worker."""
    prefix: str = "modicum"
    """How its keys begin there. Gateways with the same one count together."""
    when_away: Literal["refuse", "admit"] = "refuse"
    """What becomes of calls under hard budgets while it cannot be reached."""


def state_fault(state: StateSettings) -> tuple[str, str] | None:
    """The setting that is wrong, and what it must be."""
    prefix = state.prefix
    if not (0 < len(prefix) <= MOST_PREFIX and prefix.isascii() and prefix.isprintable()) or set(prefix) & set("{}"):
        return "prefix", f"must be 1 to {MOST_PREFIX} printable ASCII characters without braces"
    if state.redis and not _is_address(state.redis):
        return "redis", "must be an address as redis://host:6379/0, rediss://host:6379/0 or unix:///path"
    return None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if parts.scheme == "unix":
        return bool(parts.path)
    number = parts.path.strip("/")
    return parts.scheme in {"redis", "rediss"} and bool(parts.hostname) and (not number or number.isdecimal())
