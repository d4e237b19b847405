"""`policy.toml`: what calls may be, as people wrote it. Read with the settings, beside which it lies."""

from collections.abc import Sequence
from typing import Any

import msgspec

from modicum.calls.change import EFFORTS
from modicum.governance.policy import CallPolicy, Clause, OwnerClass
from modicum.settings.governance.budgets import BudgetSettings
from modicum.settings.governance.outcomes import OutcomeSettings

MOST_TOKENS = 10**9
MOST_CLASSES = 20


class ClauseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[clause]]`, once for each. A call must fulfil every clause that covers it."""

    name: str
    """What refusals and the audit log call it."""
    models: tuple[str, ...] | None = None
    """Models that these calls may go to, as patterns: gpt-*. An empty list: none."""
    not_models: tuple[str, ...] = ()
    """Models that they may not go to."""
    providers: tuple[str, ...] | None = None
    """Providers that they may go to, by the id of genai-prices. An empty list: none."""
    regions: tuple[str, ...] | None = None
    """Regions that they may be served in (`upstreams.NAME.region`). An empty list: none."""
    most_effort: str = ""
    """The highest reasoning effort that they may ask for: none, minimal, low, medium, high, xhigh or max."""
    most_thinking_tokens: int | None = None
    """The largest budget of thinking tokens that they may ask for, where the API counts it in tokens."""
    most_prompt_tokens: int | None = None
    """The longest prompt."""
    most_output_tokens: int | None = None
    """Their bound on the reply must be this or less; a call without one is refused."""
    data_class: str = ""
    """It covers calls of this class and of those that stand behind it in `data_classes`. Empty: all."""
    team: str = ""
    """The team whose calls it covers. Empty: all."""
    app: str = ""
    """The same for an app."""
    user: str = ""
    """The same for a user."""
    key: str = ""
    """The same for a key, by its name."""
    project: str = ""
    model: str = ""
    """A pattern of the model that a call goes to."""


class OwnerClassSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[owner_class]]`: the least data class of somebody's calls, whatever their caller says."""

    data_class: str
    team: str = ""
    """Whose. At least one of the five is set."""
    app: str = ""
    """The same for an app."""
    user: str = ""
    """The same for a user."""
    key: str = ""
    """The same for a key, by its name."""
    project: str = ""


class PolicySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    data_classes: tuple[str, ...] = ()
    """Names of classes of data, the least sensitive first. A call says its own in the tag `data_class`."""
    unnamed_class: str = ""
    """The class of calls of which nobody says one. Empty: the most sensitive."""
    owner_class: tuple[OwnerClassSettings, ...] = ()
    clause: tuple[ClauseSettings, ...] = ()
    budget: tuple[BudgetSettings, ...] = ()
    """As in modicum.toml (docs/budgets.md)."""
    outcome: tuple[OutcomeSettings, ...] = ()
    """What an outcome may cost, as in modicum.toml (docs/yield.md)."""
    file: str = ""
    """The file that it came from. Not set by hand."""


NO_POLICY_SETTINGS = PolicySettings()


def policy_of(settings: PolicySettings) -> CallPolicy:
    """The policy that checked settings declare."""
    return CallPolicy(
        clauses=tuple(Clause(**msgspec.structs.asdict(one)) for one in settings.clause),
        data_classes=settings.data_classes,
        unnamed_class=settings.unnamed_class,
        owner_classes=tuple(OwnerClass(**msgspec.structs.asdict(one)) for one in settings.owner_class),
    )


class PolicyFault(msgspec.Struct, frozen=True):
    """A setting that is wrong."""

    table: str
    """`clause`, `owner_class`; empty: it stands in none."""
    row: int
    key: str
    accepted: str


def policy_fault(settings: PolicySettings) -> PolicyFault | None:
    """The first setting that is wrong, and what it must be; of budgets see `budget_fault`."""
    classes = settings.data_classes
    if len(set(classes)) != len(classes) or len(classes) > MOST_CLASSES or not all(map(_is_name, classes)):
        accepted = f"takes at most {MOST_CLASSES} names of classes, each once, of 1 to 64 printable characters"
        return PolicyFault("", 0, "data_classes", accepted)
    if settings.unnamed_class and settings.unnamed_class not in classes:
        return PolicyFault("", 0, "unnamed_class", _one_of(classes))
    for row, one in enumerate(settings.owner_class):
        if one.data_class not in classes:
            return PolicyFault("owner_class", row, "data_class", _one_of(classes))
        if not (one.team or one.app or one.user or one.key or one.project):
            accepted = "or another of app, user, key, project must say whose calls these are"
            return PolicyFault("owner_class", row, "team", accepted)
    names: set[str] = set()
    for row, clause in enumerate(settings.clause):
        if (fault := _clause_fault(clause, names, classes)) is not None:
            return PolicyFault("clause", row, *fault)
        names.add(clause.name)
    return None


def _clause_fault(one: ClauseSettings, names: set[str], classes: Sequence[str]) -> tuple[str, str] | None:
    if not _is_name(one.name):
        return "name", "must be 1 to 64 printable characters"
    if one.name in names:
        return "name", f"must differ from that of the others; '{one.name}' comes twice"
    if one.data_class and one.data_class not in classes:
        return "data_class", _one_of(classes)
    if one.most_effort and one.most_effort not in EFFORTS:
        return "most_effort", f"must be one of {', '.join(EFFORTS)}"
    return _limit_fault(one)


def _limit_fault(one: ClauseSettings) -> tuple[str, str] | None:
    limits: dict[str, Any] = {key: getattr(one, key) for key in _LIMITS}
    for key in ("most_thinking_tokens", "most_prompt_tokens", "most_output_tokens"):
        if limits[key] is not None and not 0 <= limits[key] <= MOST_TOKENS:
            return key, f"is a number of tokens from 0 to {MOST_TOKENS:,}"
    if not one.not_models and not one.most_effort and all(limits[key] is None for key in _LIMITS if key not in _LISTS):
        return "name", f"stands alone: the clause limits nothing; set one of {', '.join(_LIMITS)}"
    for key in ("models", "not_models", "providers", "regions"):
        if any(not pattern.strip() for pattern in limits[key] or ()):
            return key, "holds an empty text"
    return None


_LIMITS = (
    "models",
    "not_models",
    "providers",
    "regions",
    "most_effort",
    "most_thinking_tokens",
    "most_prompt_tokens",
    "most_output_tokens",
)


_LISTS = ("not_models", "most_effort")
"""Limits that are empty where none is set; the others are None."""


def _is_name(name: str) -> bool:
    return 0 < len(name.strip()) == len(name) <= 64 and name.isprintable()


def _one_of(classes: Sequence[str]) -> str:
    if not classes:
        return "needs data_classes, which names the classes from the least sensitive on"
    return f"must be one of data_classes: {', '.join(classes)}"
