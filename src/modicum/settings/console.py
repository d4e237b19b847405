"""`[console]`: where the ledger process listens."""

import msgspec


class ConsoleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The section `[console]` of the settings."""

    listen: str = "127.0.0.1:4100"
