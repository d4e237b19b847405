"""Changes to how long a context goes on: compacted at another size, begun anew after a pause, or left to a subagent.

None of these only takes tokens away: from one call on a context is another one, and later ones grow from there. So the
prompts of a conversation are followed call by call. What a call adds is what it added in the record; where the
context begins anew only its front (system prompt and tools) stands, and what the client carries over. Only main agents
are changed.
"""

import re
from dataclasses import dataclass, replace

import numpy as np

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.insights.cache_replay.logged_share import LoggedShare
from modicum.insights.cache_replay.other_contexts import measure_front
from modicum.insights.finding import HistoryChange
from modicum.insights.history import Flags, Floats, History
from modicum.insights.rates import RateTable
from modicum.metering.prices import PriceBook

COMPACTION = "compaction"
MOST_CARRIED_TOKENS = 1_000_000
"""What is carried over, or reported: the longest context windows of 2026."""
READING_TOOLS = frozenset({"Read", "Grep", "Glob", "LS", "WebFetch", "WebSearch", "read_file", "search_file_content"})
SUBAGENT_TOOLS = frozenset({"Task", "Agent"})
_READ, _VISIBLE = 1, 4
"""Columns of rates."""


FORMS = ("compact_at=TOKENS", "new_session=MINUTES", "subagents=CALLS")
"""Each may be followed by `:TOKENS`: what is carried over, or how long a report is."""
_TYPED = re.compile(r"(compact_at|new_session|subagents)=(\d{1,9})(?::(\d{1,9}))?\Z")


def is_context_change(text: str) -> bool:
    """Whether it is one of the forms."""
    typed = _TYPED.match(text)
    return typed is not None and int(typed[2]) > 0


def parse_context_change(text: str, history: History, prices: PriceBook) -> HistoryChange:
    """The change that a `--what-if` of these forms means for this history.

    Raises:
        UserError: it cannot be done here: what is missing is said.
    """
    typed = _TYPED.match(text)
    assert typed is not None  # noqa: S101 - is_context_change was asked
    number, tokens = int(typed[2]), None if typed[3] is None else int(typed[3])
    if tokens is not None and tokens > MOST_CARRIED_TOKENS:
        raise UserError(
            f"'{text}': no context is longer than {MOST_CARRIED_TOKENS:,} tokens, so write a smaller number"
        )
    if not Contexts.read(history).main.any():
        raise UserError(f"'{text}' cannot be done here: no log of a main agent shows what its prompts held")
    if typed[1] == "compact_at":
        return compact_at(history, number, tokens, prices)
    if typed[1] == "new_session":
        return begin_sessions(history, number * 60, tokens or 0)
    return leave_to_subagents(history, number, tokens, prices)


@dataclass(frozen=True)
class Contexts:
    """What is known of the contexts of a history, in the provider's count. One value per call (C,)."""

    main: Flags
    """Calls of main agents whose contexts the log shows."""
    front: Floats
    """System prompt, tools, and what was not logged."""
    users: Floats
    """What the user said, of what the call added."""
    compacted: Flags
    """Calls before which the client compacted the context."""

    @classmethod
    def read(cls, history: History) -> "Contexts":
        logged = LoggedShare.fit(history)
        users = _is_kind(history, {"user"})
        typed = np.bincount(history.segment_call[users], history.segment_tokens[users], history.calls)
        cause = [code for code, word in enumerate(history.break_causes) if word == COMPACTION]
        return cls(
            (history.agent == history.code_of(history.agents, "")) & history.has_anatomy,
            measure_front(history),
            typed * logged.scale,
            np.isin(history.break_cause, cause),
        )


class _Course:
    """The prompts of a history as they would have been, call by call."""

    def __init__(self, history: History, contexts: Contexts) -> None:
        self.history, self.contexts = history, contexts
        self.recorded = history.prompt.astype(np.float64)
        self.prompt = self.recorded.copy()
        self.starts_over, self.goes_on = np.zeros(history.calls, bool), np.zeros(history.calls, bool)

    def grown(self, call: int) -> float:
        """What the prompt would be without a new beginning."""
        grown = float(self.prompt[call - 1] + self.recorded[call] - self.recorded[call - 1])
        return max(grown, float(self.contexts.front[call]))

    def begin_anew(self, call: int, carried: float) -> None:
        self.prompt[call] = self.contexts.front[call] + carried
        self.starts_over[call] = True

    def go_on(self, call: int) -> None:
        """A compaction of the record does not happen."""
        self.prompt[call] = self.prompt[call - 1] + self.contexts.users[call]
        self.goes_on[call] = True

    def change(self, extra_usd: Floats) -> HistoryChange:
        return HistoryChange(
            prompt_shift=self.prompt - self.recorded,
            starts_over=self.starts_over,
            goes_on=self.goes_on,
            extra_usd=extra_usd,
        )


def compact_at(history: History, most: int, carried: int | None, prices: PriceBook) -> HistoryChange:
    """Contexts of main agents are compacted where they would become larger than so many tokens, and nowhere else.

    Args:
        history: the history.
        most: tokens.
        carried: tokens that stand behind the front after a compaction; None: the median of those in the record.
        prices: of its days. A compaction reads the whole context, and writes what is carried as its reply.

    Raises:
        UserError: nothing shows how much a compaction carries over, or that is more than `most`.
    """
    contexts = Contexts.read(history)
    compacted = contexts.compacted & contexts.main
    if carried is None:
        if not compacted.any():
            raise UserError(
                f"no compaction is on record here, so nothing shows what one carries over; say it: "
                f"'compact_at={most}:15000' for 15,000 tokens"
            )
        carried = int(np.median(history.prompt[compacted] - contexts.front[compacted]))
    fits = contexts.front + carried < most
    # A transcript that begins in the midst of a conversation takes all before it for its front: it stays as it was.
    stays = np.isin(history.conversation, history.conversation[~fits])
    able = contexts.main & ~stays
    if not able.any():
        least = int(contexts.front[contexts.main].min()) + carried
        raise UserError(
            f"'compact_at={most}' cannot be done: {number_of(least, 'token')} and more stand after a compaction "
            f"({carried:,} that are carried over, behind system prompt and tools); write a larger number"
        )
    compacted &= able
    course = _Course(history, contexts)
    for call in np.flatnonzero(able & ~history.first).tolist():
        if compacted[call]:
            course.go_on(call)
        else:
            course.prompt[call] = course.grown(call)
        if course.prompt[call] > most:
            course.begin_anew(call, carried)
            course.goes_on[call] = False
    written = _reply_of_compaction(history, carried)
    rates = _rates(history, prices)
    before = np.maximum(np.arange(history.calls) - 1, 0)
    paid = np.zeros(history.calls)
    for calls, prompts, sign in ((course.starts_over, course.prompt, 1.0), (compacted, course.recorded, -1.0)):
        paid += sign * calls * (prompts[before] * rates[:, _READ] + written * rates[:, _VISIBLE])
    return course.change(paid)


def begin_sessions(history: History, pause_s: float, carried: int) -> HistoryChange:
    """Main agents begin a new session where the user comes back after so long a pause.

    Raises:
        UserError: no user came back so late.
    """
    contexts = Contexts.read(history)
    pause = np.diff(history.started_s, prepend=history.started_s[:1])
    late = contexts.main & ~history.first & (pause >= pause_s) & (contexts.users > 0)
    if not late.any():
        raise UserError(f"no user came back to a main agent after {pause_s / 60:g} minutes here; write a shorter pause")
    course = _Course(history, contexts)
    for call in np.flatnonzero(contexts.main & ~history.first).tolist():
        if late[call]:
            course.begin_anew(call, contexts.users[call] + carried)
        elif not contexts.compacted[call]:
            course.prompt[call] = course.grown(call)
        elif course.prompt[call - 1] + contexts.users[call] < course.recorded[call]:
            course.go_on(call)  # the smaller context needs no compaction
    return course.change(np.zeros(history.calls))


def leave_to_subagents(history: History, fewest: int, report: int | None, prices: PriceBook) -> HistoryChange:
    """Runs of at least so many calls of main agents that only read (files, searches, pages) are made by a subagent: its
    context holds the front and what it reads itself. The main agent gets a report.

    Args:
        history: the history.
        fewest: calls in a row.
        report: tokens of a report; None: the median of those in the record.
        prices: of its days. A subagent costs one more call, which reads the front.

    Raises:
        UserError: there is no such run, or nothing shows how long reports are.
    """
    contexts = Contexts.read(history)
    if report is None:
        reports = _is_kind(history, {"tool_result"}) & _is_tool(history, SUBAGENT_TOOLS)
        if not reports.any():
            raise UserError(
                f"no subagent is on record here, so nothing shows how long its report is; say it: "
                f"'subagents={fewest}:1500' for 1,500 tokens"
            )
        report = int(np.median(history.segment_tokens[reports]))
    runs = _find_reading_runs(history, contexts, fewest)
    if not runs:
        raise UserError(
            f"no main agent made {number_of(fewest, 'call')} in a row here that only read; write a smaller number"
        )
    course = _Course(history, contexts)
    conversation = history.conversation.copy()
    starts = dict(runs)
    paid, rates = np.zeros(history.calls), _rates(history, prices)
    outside = np.full(history.calls, -1, dtype=np.int64)
    """The main agent's call before the run, of calls in one."""
    for number, (start, end) in enumerate(runs):
        conversation[start:end] = len(history.conversations) + number
        outside[start:end] = start - 1
        paid[start] = contexts.front[start] * rates[start, _READ]
    for call in np.flatnonzero(contexts.main & ~history.first).tolist():
        if call in starts:
            course.prompt[call] = contexts.front[call] + max(course.recorded[call] - course.recorded[call - 1], 0)
        elif outside[call] < 0 <= outside[call - 1]:
            inside = int(outside[call - 1])
            own = max(course.recorded[call] - course.recorded[call - 1], 0)
            course.prompt[call] = course.prompt[inside] + report + own
            course.goes_on[call] = True
        elif not contexts.compacted[call]:
            course.prompt[call] = course.grown(call)
        elif course.prompt[call - 1] + contexts.users[call] < course.recorded[call]:
            course.go_on(call)
    changed = course.change(paid)
    return replace(changed, conversation=conversation)


def _find_reading_runs(history: History, contexts: Contexts, fewest: int) -> list[tuple[int, int]]:
    """Where each run begins, and the first call behind it."""
    results = _is_kind(history, {"tool_result"})
    reads = np.bincount(history.segment_call[results & _is_tool(history, READING_TOOLS)], minlength=history.calls) > 0
    others = (results & ~_is_tool(history, READING_TOOLS)) | _is_kind(history, {"user", "summary"})
    disturbed = np.bincount(history.segment_call[others], minlength=history.calls) > 0
    fits = contexts.main & ~history.first & reads & ~disturbed & ~contexts.compacted
    edges = np.flatnonzero(np.diff(np.concatenate(([False], fits, [False])).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2) if end - start >= fewest]


def _reply_of_compaction(history: History, carried: int) -> float:
    """Tokens of a summary: the median of those in the record, else all that is carried."""
    summaries = history.segment_tokens[_is_kind(history, {"summary"})]
    return float(np.median(summaries)) if len(summaries) else float(carried)


def _rates(history: History, prices: PriceBook) -> Floats:
    """Dollars per token, nothing where no price is known."""
    table = RateTable(history, prices)
    prompt = history.prompt.astype(np.float64)
    return np.nan_to_num(table.per_call(history.model, history.models, history.tier, history.tiers, prompt))


def _is_kind(history: History, kinds: "frozenset[str] | set[str]") -> Flags:
    found: Flags = np.isin(history.segment_kind, [code for code, kind in enumerate(history.kinds) if kind in kinds])
    return found


def _is_tool(history: History, tools: frozenset[str]) -> Flags:
    found: Flags = np.isin(history.segment_tool, [code for code, tool in enumerate(history.tools) if tool in tools])
    return found
