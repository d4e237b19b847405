"""`[metrics]`: who may see figures of owners, and of how many."""

import msgspec

from modicum.settings.secret import is_place, secret_at

MOST_OWNERS = 2000


class MetricsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The section `[metrics]` of the settings."""

    token: str = ""
    """Where the token is that `/metrics` of the ledger process wants for figures by team, app and key: `env:NAME` or
    `file:PATH`. Empty: they are shown to commands of this user only."""
    most_owners: int = 200
    """How many owners (team, app and key) have labels of their own; those that come later are `other`."""


def metrics_fault(metrics: MetricsSettings) -> tuple[str, str] | None:
    """The setting that is wrong, and what it must be."""
    if metrics.token and not is_place(metrics.token):
        return "token", "must say where the token is: env:NAME or file:PATH, not the token itself"
    if not 1 <= metrics.most_owners <= MOST_OWNERS:
        return "most_owners", f"is a number from 1 to {MOST_OWNERS:,}"
    return None


def token_of(metrics: MetricsSettings) -> str:
    """The token that opens figures of owners; empty: none does.

    Raises:
        UserError: it is not where the settings say.
    """
    return secret_at("metrics.token", metrics.token) if metrics.token else ""
