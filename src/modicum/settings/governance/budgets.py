"""`[[budget]]`: limits on what calls through the gateway may cost."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from modicum.calls import UserError
from modicum.governance.budget_windows import LONG_AGO, Period, parse_window
from modicum.governance.budgets import EACH, AtLimit, Budget, LimitUnit
from modicum.governance.energy_rate import EnergyRate
from modicum.settings.governance.energy import EnergySettings, energy_rates_of
from modicum.settings.time_zone import checked_zone

MOST_USD = 1e9
MOST_COUNT = 10**15
MOST_JOULES = 1e12
_MOST = {LimitUnit.USD: MOST_USD, LimitUnit.JOULES: MOST_JOULES}


class BudgetSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[budget]]`, once for each budget. A call counts on every budget that covers it, and must fit into all."""

    name: str
    """What refusals, headers and `modicum budget show` call it."""
    per: str
    """When it begins anew: `hour`, `day`, `week`, `month`, `ever` (never), `task` (every task has its own, for life),
    or a length that slides, as `5h`, `90m` or `7d`."""
    limit_usd: float | None = None
    """Dollars. Exactly one of the four limits is set."""
    limit_effective_tokens: int | None = None
    """Tokens weighed by price: one uncached input token of the same model counts 1."""
    limit_calls: int | None = None
    """Calls, whatever they cost."""
    limit_joules: float | None = None
    """What models on servers of your own may draw, by the rates of `[[energy]]`."""
    at_limit: Literal["refuse", "downgrade", "cut", "alert"] = "refuse"
    """A call that does not fit is refused; goes to a cheaper model before that; is ended in mid-stream, where it is a
    stream; or is made, and a line is logged."""
    downgrade_to: str = ""
    """The cheaper model, or an alias of `[models]`."""
    downgrade_from: float = 0.8
    """The share of the limit from which calls go there."""
    rollover: float = 0.0
    """The share of the limit that may be carried from a window into the next one, where it was left over."""
    emergency_reserve: float = 0.0
    """The share of the limit that only calls which hand over results of tools may use."""
    assume_max_tokens: int = 0
    """The most output tokens of a call that names none. It is sent with the call, so that it holds. 0: the model's
    whole context window is reserved."""
    agent_line_below: float = 0.0
    """Where less than this share of the limit is left, a line at the end of the prompt says so to the agent."""
    team: str = ""
    """The team whose calls it covers; `*`: every team has a budget of its own. Empty: all."""
    app: str = ""
    """The same for an app."""
    user: str = ""
    """The same for a user."""
    key: str = ""
    """The same for a key, by its name."""
    task: str = ""
    """The same for a task."""
    model: str = ""
    """A pattern: `claude-opus-*`."""
    tag: str = ""
    """`NAME=VALUE`, or `NAME=*`."""
    timezone: str = ""
    """In which days, weeks and months are cut. Empty: the zone of the settings, else UTC."""

    @property
    def limits(self) -> dict[LimitUnit, float | int]:
        """Those that are set."""
        every = {
            LimitUnit.USD: self.limit_usd,
            LimitUnit.EFFECTIVE_TOKENS: self.limit_effective_tokens,
            LimitUnit.CALLS: self.limit_calls,
            LimitUnit.JOULES: self.limit_joules,
        }
        return {unit: limit for unit, limit in every.items() if limit is not None}


def budgets_of(budgets: Sequence[BudgetSettings], zone: str, energy: Sequence[EnergySettings] = ()) -> list[Budget]:
    """The budgets that checked settings declare. `zone`: where a budget names none; empty for UTC. `energy`: what
    tokens of which model draw.
    """
    rates = energy_rates_of(energy)
    return [_budget(one, one.timezone or zone or "UTC", rates) for one in budgets]


def budget_fault(budgets: Sequence[BudgetSettings], keep_days: int) -> tuple[int, str, str] | None:
    """The first setting that is wrong: of which budget, which, and what it must be."""
    names: set[str] = set()
    for index, one in enumerate(budgets):
        fault = _name_fault(one, names) or _limit_fault(one) or _window_fault(one, keep_days) or _scope_fault(one)
        if fault is not None:
            return index, *fault
        names.add(one.name)
    return None


def _budget(one: BudgetSettings, zone: str, energy: tuple[EnergyRate, ...]) -> Budget:
    per_task = one.per == "task"
    window = parse_window("ever" if per_task else one.per, zone)
    assert window is not None  # noqa: S101 - the settings were checked
    ((unit, given),) = one.limits.items()
    limit = int(Decimal(str(given)) * unit.scale)
    tag, _, tag_value = one.tag.partition("=")
    return Budget(
        name=one.name,
        unit=unit,
        limit=limit,
        window=window,
        at_limit=AtLimit(one.at_limit),
        downgrade_to=one.downgrade_to,
        downgrade_above=int(Decimal(str(one.downgrade_from)) * limit),
        most_carried=int(Decimal(str(one.rollover)) * limit),
        emergency_reserve=int(Decimal(str(one.emergency_reserve)) * limit),
        assume_max_tokens=one.assume_max_tokens,
        agent_line_below=math.ceil(Decimal(str(one.agent_line_below)) * limit),
        team=one.team,
        app=one.app,
        user=one.user,
        key=one.key,
        task=(one.task or EACH) if per_task else one.task,
        model=one.model,
        tag=tag,
        tag_value=tag_value,
        energy=energy if unit is LimitUnit.JOULES else (),
    )


def _name_fault(one: BudgetSettings, names: set[str]) -> tuple[str, str] | None:
    if not (one.name and one.name.isascii() and one.name.isprintable() and len(one.name) <= 64):
        return "name", "must be 1 to 64 printable ASCII characters: it stands in a header of replies"
    return ("name", f"must differ from that of the others; '{one.name}' comes twice") if one.name in names else None


def _limit_fault(one: BudgetSettings) -> tuple[str, str] | None:
    limits = one.limits
    if len(limits) != 1:
        named = ", ".join(f"limit_{unit}" for unit in LimitUnit)
        return "limit_usd", f"or another limit must be set, exactly one of {named}"
    ((unit, limit),) = limits.items()
    most = _MOST.get(unit, MOST_COUNT)
    if not (math.isfinite(limit) and 0 <= limit <= most):
        return f"limit_{unit}", f"must be a number from 0 to {most:,.0f}"
    return _at_limit_fault(one) or _assumption_fault(one)


def _assumption_fault(one: BudgetSettings) -> tuple[str, str] | None:
    if not 0 <= one.assume_max_tokens <= MOST_COUNT:
        return "assume_max_tokens", f"must be a number of tokens from 1 to {MOST_COUNT:,}, or 0 for none"
    return None


def _at_limit_fault(one: BudgetSettings) -> tuple[str, str] | None:
    if not (math.isfinite(one.downgrade_from) and 0 <= one.downgrade_from <= 1):
        return "downgrade_from", "must be a share in 0..1"
    if not (math.isfinite(one.emergency_reserve) and 0 <= one.emergency_reserve < 1):
        return "emergency_reserve", "must be a share of the limit, from 0 to below 1"
    if one.emergency_reserve and one.at_limit == "alert":
        return "emergency_reserve", 'needs a limit that refuses: at_limit must be "refuse", "downgrade" or "cut"'
    if not (math.isfinite(one.agent_line_below) and 0 <= one.agent_line_below <= 1):
        return "agent_line_below", "must be a share of the limit, in 0..1; 0 for no line"
    if (one.at_limit == "downgrade") != bool(one.downgrade_to):
        return "downgrade_to", 'names the cheaper model, together with at_limit = "downgrade"'
    return None


def _window_fault(one: BudgetSettings, keep_days: int) -> tuple[str, str] | None:
    window = parse_window("ever" if one.per == "task" else one.per, "UTC")
    if window is None:
        return "per", "must be hour, day, week, month, ever, task, or a length that slides, as 5h, 90m or 7d"
    if not (math.isfinite(one.rollover) and 0 <= one.rollover <= 1):
        return "rollover", "must be a share in 0..1"
    if one.rollover and window.span_before(window.span_at(LONG_AGO)) is None:
        return "rollover", "needs windows that follow each other: per must be hour, day, week or month"
    try:
        checked_zone(one.timezone or "UTC")
    except UserError as error:
        return "timezone", f"is wrong: {error}"
    needed_s = window.longest_s * (2 if one.rollover else 1)  # what is carried comes from the window before
    if keep_days and needed_s > keep_days * 86_400:
        lasts = "for ever" if window.period is Period.EVER else f"up to {needed_s / 86_400:.0f} days"
        return "per", (
            f"lasts {lasts}, and keep_days = {keep_days} has the ledger forget what was spent before; after a restart "
            "the budget would have more than it may. Set keep_days to 0, or higher"
        )
    return None


def _scope_fault(one: BudgetSettings) -> tuple[str, str] | None:
    name, equals, value = one.tag.partition("=")
    if one.tag and not (name and equals and value):
        return "tag", "must be NAME=VALUE, or NAME=* for a budget of each value's own"
    return None
