"""By what calls can be cut: the one list of dimensions, and which of them each verb takes.

In SQL the same names are in the macro `dimension` (`ledger/schema/*/008_dimension.sql`). What divides prompts and not
calls (`kind`, `tool`) is in the questions that know it.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from modicum.calls import Entry, UserError
from modicum.calls.errors import unknown_name
from modicum.ledger.asking.several_dimensions import BETWEEN

TIMES = ("day", "week", "month")
TAG = "tag:NAME"
CALLS = (
    "model",
    *TIMES,
    "project",
    "branch",
    "owner",
    "team",
    "app",
    "user",
    "key",
    "source",
    "provider",
    "task",
    "agent",
    "tier",
    "status",
    "place",
)
"""Every call has a name in each of them."""

WORK = "work"
OF_AGENTS = ("skill", "plugin", "mcp", "subagent", WORK)
"""What coding agents' logs tell of a call: tags of the same names, known where logs were read with their content."""

NAMELESS, NO_OWNER = "(none)", "(no owner)"
_NO_OWNER_AT_ALL = "///"
"""Team, app, user and key, none of which is known."""

NOT_OF_CALLS = frozenset({"bucket", "tool"})
"""What divides the inside of calls."""
MOST_AT_ONCE = 3

BILL = (*CALLS, *OF_AGENTS, "bucket", "tool", TAG)
YIELD = (*(name for name in CALLS if name not in {"status", "place"}), *OF_AGENTS, TAG)
ANATOMY = ("kind", "tool", "agent", "project", "model", "task", "segment")
EXPOSURE = ("provider", "team", "app", "user", "project")


def shown_name(name: str) -> str:
    """A name in any dimension as tables, charts and pages show it. JSON, CSV and addresses have the name itself."""
    if name == _NO_OWNER_AT_ALL:
        return NO_OWNER
    return name or NAMELESS


def parse_dimension(what: str, by: str, accepted: Collection[str]) -> tuple[str, str]:
    """The dimension as questions take it, and the tag where it is `tag`.

    Args:
        what: what is cut, as `bill`.
        by: as it was typed.
        accepted: one of the lists of this file.

    Raises:
        UserError: it is not accepted.
    """
    name, _, tag = by.partition(":")
    if name == "tag" and tag and TAG in accepted:
        return name, tag
    if by in OF_AGENTS and by in accepted:
        return "tag", by
    if by not in accepted:
        raise unknown_name(f"{what} by", by, accepted)
    return by, ""


def parse_dimensions(what: str, typed: Sequence[str], accepted: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Several dimensions at once, from `team,month` or from options that came again, as `parse_dimension` gives each.

    Raises:
        UserError: one is not accepted, stands twice, cannot be joined with others, or there are too many.
    """
    names = [name.strip() for text in typed for name in text.split(",")]
    found = tuple(parse_dimension(what, name, accepted) for name in names)
    if len(set(found)) < len(found):
        raise UserError(f"--by {','.join(names)}: each dimension once")
    if len(found) > MOST_AT_ONCE:
        raise UserError(f"--by {','.join(names)}: {MOST_AT_ONCE} dimensions at once are the most")
    if len(found) > 1 and (alone := sorted(NOT_OF_CALLS.intersection(names))):
        raise UserError(f"--by {','.join(names)}: '{alone[0]}' divides what calls hold, and stands alone")
    return found


def find_names(dimensions: Sequence[tuple[str, str]], zone: ZoneInfo) -> Callable[[Entry], str]:
    """How an entry is called in several dimensions: its names with `BETWEEN` between them."""
    namings = [find_naming(by, tag, zone) for by, tag in dimensions]
    if len(namings) == 1:
        return namings[0]
    return lambda entry: BETWEEN.join(naming(entry).replace(BETWEEN, " ") for naming in namings)


def find_naming(by: str, tag: str, zone: ZoneInfo) -> Callable[[Entry], str]:
    """How an entry is called in a dimension, as the macro names it; all are called `` in one of no calls."""
    if by in TIMES:
        return lambda entry: _period(entry.call.started.astimezone(zone), by)
    if by == "tag":
        return lambda entry: entry.call.tags.get(tag, "")
    return _NAMINGS.get(by, lambda _: "")


def _period(at: datetime, by: str) -> str:
    day = at.date()
    if by == "week":
        day -= timedelta(days=day.weekday())
    elif by == "month":
        day = day.replace(day=1)
    return day.isoformat()


_NAMINGS: dict[str, Callable[[Entry], str]] = {
    "model": lambda e: e.call.model,
    "source": lambda e: e.call.source,
    "provider": lambda e: e.call.provider or e.call.tags.get("server", ""),  # a server of one's own by its address
    "project": lambda e: e.call.project,
    "branch": lambda e: e.call.branch,
    "task": lambda e: e.call.task,
    "agent": lambda e: e.call.agent,
    "owner": lambda e: f"{e.call.owner.team}/{e.call.owner.app}/{e.call.owner.user}/{e.call.owner.key}",
    "team": lambda e: e.call.owner.team,
    "app": lambda e: e.call.owner.app,
    "user": lambda e: e.call.owner.user,
    "key": lambda e: e.call.owner.key,
    "tier": lambda e: e.call.tier.value,
    "status": lambda e: e.call.status.value,
    "place": lambda e: e.call.place,
}
