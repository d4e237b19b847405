"""Calls as a person looks at them: what each cost, what stood between it and the call before, whether a cache was lost.

All of it is in the ledger, which holds no text. Who has the log can read the text there, by the digests of the parts.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import numpy as np

from modicum.calls import UserError
from modicum.insights.finding import Finding
from modicum.insights.findings import FINDINGS, load_detector
from modicum.insights.history import History, Ints
from modicum.insights.timelines import find_lost_caches, find_reason

MOST_CALLS = 60
"""Calls of a session or finding that are listed, unless more are asked for."""
MOST_NAMES = 5


class ShownPart(msgspec.Struct, frozen=True, kw_only=True):
    """One part that came into the context with a call: what stood between it and the call before."""

    kind: str
    tool: str
    tokens: int
    is_error: bool


class ShownCall(msgspec.Struct, frozen=True, kw_only=True):
    call_id: str
    started: datetime
    """UTC."""
    gap_s: float | None
    """Since the call before it in its conversation began; None: it is the first."""
    project: str
    session: str
    agent: str
    model: str
    source: str
    client_version: str
    status: str
    prompt_tokens: int
    cache_read: int
    cache_written: int
    uncached: int
    output: int
    cost_usd: float | None
    """None: no price is known."""
    lost: str
    """Why it read far less from the cache than stood there; empty where it did not."""
    lost_tokens: int
    """That stood in the cache and were not read."""
    events: list[str]
    """What may change what a cache can be read for: a skill, another thinking setting."""
    parts: list[ShownPart]
    """What came to the context since the call before it, the reply of that call among it."""


class CarriedKind(msgspec.Struct, frozen=True, kw_only=True):
    """What a call's context held of one kind."""

    kind: str
    segments: int
    tokens: int


class CloseView(msgspec.Struct, frozen=True, kw_only=True):
    what: str
    """`call`, `session` or `finding`."""
    name: str
    """The call's id, the session, or the finding's id."""
    title: str
    """Of a finding; else empty."""
    explanation: str
    calls_in_all: int
    cost_usd: float
    """Of all these calls that have a price."""
    calls: list[ShownCall]
    carried: list[CarriedKind]
    """Of a single call: what its prompt held."""


def show(history: History, name: str, most: int = MOST_CALLS) -> CloseView:
    """The call, session or finding of that name. A call or session may be named by how it begins.

    Raises:
        UserError: there is none, or several begin so.
    """
    by_id = {finding_id: finding for finding, finding_id in FINDINGS.items()}
    if (finding := by_id.get(name.upper(), name)) in FINDINGS:
        return _show_finding(history, load_detector(finding)(history), most)
    what, calls, full_name = find_calls(history, name)
    chosen = calls[:most]
    if what == "call":  # with the one before it and the one behind it, to see what it rests on and what came of it
        call = int(calls[0])
        first, last = int(history.conversation_start[call]), int(history.conversation_end[call])
        chosen = np.arange(max(first, call - 1), min(last, call + 2))
    return CloseView(
        what=what,
        name=full_name,
        title="",
        explanation="",
        calls_in_all=len(calls),
        cost_usd=float(np.nansum(history.cost_usd[calls])),
        calls=list_calls(history, chosen),
        carried=_list_carried(history, int(calls[0])) if what == "call" else [],
    )


def _show_finding(history: History, found: Finding, most: int) -> CloseView:
    places = {name: place for place, name in enumerate(history.entry_ids)}
    calls = np.array([places[name] for name in found.examples if name in places], np.int64)
    return CloseView(
        what="finding",
        name=found.id,
        title=found.title,
        explanation=f"{found.what} {found.remedy}".strip() if not found.lacks else f"not computed: lacks {found.lacks}",
        calls_in_all=found.calls,
        cost_usd=found.gross_usd,
        calls=list_calls(history, calls[:most]),
        carried=[],
    )


def find_calls(history: History, name: str) -> tuple[str, Ints, str]:
    """`call` or `session`, its calls in order of time, and its whole name.

    Raises:
        UserError: there is none, or several begin so.
    """
    for what, names, codes in (
        ("call", history.entry_ids, np.arange(history.calls)),
        ("session", history.tasks, history.task),
    ):
        exact = [code for code, one in enumerate(names) if one == name]
        found = exact or [
            code for code, one in enumerate(names) if name and (one.startswith(name) or one.partition(":")[2] == name)
        ]
        if len(found) > 1:
            shown = ", ".join(names[code] for code in found[:MOST_NAMES])
            raise UserError(f"{len(found):,} {what}s begin with '{name}': {shown}; write more of it")
        if found:
            calls = np.flatnonzero(codes == found[0])
            return what, calls[np.argsort(history.started_s[calls], kind="stable")], names[found[0]]
    raise UserError(
        f"there is no call, session or finding '{name}' here: findings are named as 'modicum audit' prints them (B3), "
        "calls and sessions as its examples; name the logs that hold it, or '--found'"
    )


def list_calls(history: History, calls: Ints | Sequence[int]) -> list[ShownCall]:
    """Those calls, as a person looks at them."""
    lost = find_lost_caches(history)
    return [_shown(history, int(call), is_lost=bool(lost[call])) for call in calls]


def _shown(history: History, call: int, *, is_lost: bool) -> ShownCall:
    cost, is_first = float(history.cost_usd[call]), bool(history.first[call])
    left = 0 if is_first else int((history.prompt - history.uncached)[call - 1])
    parts = np.flatnonzero(history.segment_call == call)
    return ShownCall(
        call_id=history.entry_ids[call],
        started=datetime.fromtimestamp(float(history.started_s[call]), UTC),
        gap_s=None if is_first else float(history.started_s[call] - history.started_s[call - 1]),
        project=history.projects[history.project[call]],
        session=history.tasks[history.task[call]],
        agent=history.agents[history.agent[call]],
        model=history.models[history.model[call]],
        source=history.sources[history.source[call]],
        client_version=history.client_versions[history.client_version[call]],
        status=history.statuses[history.status[call]],
        prompt_tokens=int(history.prompt[call]),
        cache_read=int(history.cache_read[call]),
        cache_written=int(history.cache_write_5m[call] + history.cache_write_1h[call]),
        uncached=int(history.uncached[call]),
        output=int(history.output_visible[call] + history.output_reasoning[call]),
        cost_usd=None if np.isnan(cost) else cost,
        lost=find_reason(history, call) if is_lost else "",
        lost_tokens=max(left - int(history.cache_read[call]), 0) if is_lost else 0,
        events=msgspec.json.decode(history.event_lists[history.events[call]] or "[]", type=list[str]),
        parts=[_part(history, int(part)) for part in parts],
    )


def _part(history: History, part: int) -> ShownPart:
    return ShownPart(
        kind=history.kinds[history.segment_kind[part]],
        tool=history.tools[history.segment_tool[part]],
        tokens=int(history.segment_tokens[part]),
        is_error=bool(history.segment_error[part]),
    )


def _list_carried(history: History, call: int) -> list[CarriedKind]:
    carried = (history.segment_call <= call) & (history.segment_died > call)
    carried &= history.segment_call >= history.conversation_start[call]
    rows = []
    for code, kind in enumerate(history.kinds):
        of_kind = carried & (history.segment_kind == code)
        if of_kind.any():
            tokens = int(history.segment_tokens[of_kind].sum())
            rows.append(CarriedKind(kind=kind, segments=int(of_kind.sum()), tokens=tokens))
    return sorted(rows, key=lambda row: -row.tokens)
