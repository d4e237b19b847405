"""`[console]`: where the ledger process listens, and where the console's pages are."""

import msgspec

from modicum.calls import UserError
from modicum.settings.addresses import host_and_port

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class ConsoleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The section `[console]` of the settings."""

    listen: str = "127.0.0.1:4100"
    pages_listen: str = "127.0.0.1:4101"
    """The address of the console's pages; empty: `modicum up` shows none."""


def pages_address(address: str, setting: str = "console.pages_listen") -> tuple[str, int]:
    """Host and port of the console's pages, which show spend to whoever opens them.

    Raises:
        UserError: it is no address, or one that others reach.
    """
    host, port = host_and_port(setting, address)
    if host.lower() not in LOOPBACK:
        raise UserError(
            f"{setting} '{address}' could be opened by others, and the console knows no users: write "
            f"127.0.0.1:{port}, and let others in through ssh (ssh -L {port}:127.0.0.1:{port} HOST) or a proxy that "
            "asks who they are"
        )
    return host.lower(), port
