"""The runtime contract of a plan, for one conversation: may this agent speak, what may it read, do we stop.

A guard makes no model call and raises nothing while agents run. It never stops a protected agent, and never leaves a
reader without the task: what people, tools and the system said always stays.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from modicum.agents.answers import ABSTAINED, answer_or_none, find_agreed_answer, normalise
from modicum.agents.plan_rules import EdgeKind, PlanRules

Message = TypeVar("Message")


class Guard:
    """Made by `TeamPlan.guard`. Safe to use from many threads; one per conversation, since it counts rounds.

    Attributes:
        full_because: why the full team runs although there is a plan; empty where the plan is in force.
        canary_share: the chance with which this run was to be a canary; `CanaryWatch.record` asks for it.
        unfinished: agents whose turn has begun and, as an adapter knows, not come to an end (it failed, or waits for a
            person): what they are asked next is the same turn.
    """

    def __init__(self, plan: PlanRules, *, run: str = "", full_because: str = "", canary_share: float = 0.0) -> None:
        self.plan = plan
        self.run = run
        self.canary_share = canary_share
        self.full_because = full_because
        self.unfinished: set[str] = set()
        self._lock = threading.Lock()
        self._last_round: dict[str, int] = {}
        self._spoken: dict[str, list[int]] = {}

    def active(self, agent: str, round: int | None = None) -> bool:  # noqa: A002 - the word of the field
        """Whether the agent's turn is to be run. Without `round`: each call is the agent's next round."""
        with self._lock:
            again = agent in self.unfinished
            number = max(1, self._last_round.get(agent, 0) + (not again)) if round is None else round
            self._last_round[agent] = max(number, self._last_round.get(agent, 0))
            speaks = bool(self.full_because) or self.plan.keeps(agent, number)
            spoken = self._spoken.setdefault(agent, []) if speaks else []
            if number not in spoken[-1:]:  # several calls of one turn are one turn
                spoken.append(number)
        return speaks

    def would_speak(self, agent: str) -> bool:
        """Whether the agent's next turn would be run; asking does not count as a turn."""
        return bool(self.full_because) or self.plan.keeps(agent, self._last_round.get(agent, 0) + 1)

    def round_of(self, agent: str) -> int:
        """The round that the agent is in: how often it was asked, at least 1."""
        return max(1, self._last_round.get(agent, 0))

    def model_for(self, agent: str, default: str = "") -> str:
        """The cheaper model that the plan names for the agent, or the default."""
        return default if self.full_because else self.plan.model_for(agent, default)

    def agreed(self, answers: Sequence[str | None], round: int | None = None) -> bool:  # noqa: A002 - as above
        """Whether the answers so far, in the order in which they were given in this round, are enough to stop."""
        return self.agreed_answer(answers, round) is not None

    def agreed_answer(self, answers: Sequence[str | None], round: int | None = None) -> str | None:  # noqa: A002
        """The answer that enough gave, normalised; None where the conversation goes on."""
        stop = self.plan.early_exit
        if stop is None or self.full_because or (round is not None and stop.round not in {None, round}):
            return None
        return find_agreed_answer([answer_or_none(answer) for answer in answers], stop.agree, stop.of)

    def filter(
        self,
        reader: str,
        messages: Sequence[Message],
        *,
        author: Callable[[Message], str | None] | None = None,
        text: Callable[[Message], str | None] | None = None,
        links: Callable[[Message], set[str]] | None = None,
        round: int | None = None,  # noqa: A002 - as above
    ) -> list[Message]:
        """The messages that the reader may see, in order.

        Out go the messages of muted and dropped agents, and placeholders ("None.") in their place. A tool call and its
        results go or stay together. Messages without an author in the team (people, system, tools) always stay, and so
        do the reader's own. Where nothing would be left, everything stays.

        Args:
            reader: who is about to speak.
            messages: of any type; dicts and objects in the shapes of the common frameworks need no accessors.
            author: the name of the agent that wrote a message, or None.
            text: its text, to notice placeholders.
            links: ids of the tool calls that it makes or answers.
            round: the reader's round; the one it was last asked in unless given.
        """
        if self.full_because:
            return list(messages)
        now = self.round_of(reader) if round is None else round
        accessors = author or author_of, text or text_of, links or tool_links
        return filter_visible(self.plan, self._spoken, reader, now, messages, *accessors)

    def rounds_spoken(self) -> dict[str, tuple[int, ...]]:
        """The rounds in which each agent was let speak, so far."""
        with self._lock:
            return {agent: tuple(rounds) for agent, rounds in self._spoken.items()}


def filter_visible(
    plan: PlanRules,
    spoken: Mapping[str, Sequence[int]],
    reader: str,
    now: int,
    messages: Sequence[Message],
    author: Callable[[Message], str | None],
    text: Callable[[Message], str | None],
    links: Callable[[Message], set[str]],
) -> list[Message]:
    """The messages that a reader may see in round `now`, in order. See `Guard.filter`; `spoken` are the rounds in which
    each agent was let speak, so far.
    """
    out = _hidden(plan, spoken, reader, now, [(author(one), text(one), bool(links(one))) for one in messages])
    gone: set[str] = set().union(*(links(messages[index]) for index in out))
    kept: set[str] = set()
    for index, message in enumerate(messages):
        if index not in out and author(message) in plan.agents:
            kept |= links(message)
    gone -= kept
    left = [
        message
        for index, message in enumerate(messages)
        if index not in out and not (author(message) not in plan.agents and links(message) & gone)
    ]
    return left or list(messages)


def _hidden(
    plan: PlanRules,
    spoken: Mapping[str, Sequence[int]],
    reader: str,
    now: int,
    messages: Sequence[tuple[str | None, str | None, bool]],
) -> set[int]:
    """Positions of the messages (author, text, whether it calls tools) that the reader may not see."""
    hidden: set[int] = set()
    seen: dict[str, int] = {}
    for index, (name, text, calls_tools) in enumerate(messages):
        if name is None or name == reader or name not in plan.agents:
            continue
        if _is_placeholder(plan, name, text):
            hidden.add(index)
            continue
        written = _round_written(plan, name, spoken.get(name, ()), seen.get(name, 0))
        # A turn may call tools several times before it says its word: these belong to one round.
        seen[name] = seen.get(name, 0) + (not calls_tools)
        kind = EdgeKind.SPATIAL if written >= now else EdgeKind.TEMPORAL
        if not plan.keeps(name, written) or not plan.carries(name, reader, kind, now):
            hidden.add(index)
    return hidden


def _is_placeholder(plan: PlanRules, name: str, text: str | None) -> bool:
    if text is None or name in plan.protect:
        return False
    dropped = any(not plan.keeps(name, number) for number in range(1, plan.rounds + 1))
    return dropped and normalise(text) in ABSTAINED


def _round_written(plan: PlanRules, name: str, spoken: Sequence[int], earlier: int) -> int:
    """The round of an agent's message, of which `earlier` come before it: those in which it was let speak."""
    rounds = spoken or [number for number in range(1, plan.rounds + 1) if plan.keeps(name, number)]
    return rounds[min(earlier, len(rounds) - 1)] if rounds else 1


class Guards:
    """One guard per conversation, made when it is first asked for; the longest unused are forgotten."""

    def __init__(self, make: "Callable[[str], Guard]", *, most: int = 10_000) -> None:
        self._make = make
        self._most = most
        self._guards: OrderedDict[str, Guard] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, run: str) -> Guard:
        with self._lock:
            guard = self._guards.pop(run, None) or self._make(run)
            self._guards[run] = guard
            while len(self._guards) > self._most:
                self._guards.popitem(last=False)
            return guard


def _field(message: Any, *names: str) -> Any:
    for name in names:
        value = message.get(name) if isinstance(message, dict) else getattr(message, name, None)
        if value is not None:
            return value
    return None


def author_of(message: Any) -> str | None:
    """`name` (chat completions, LangChain) or `source` (AutoGen) of a message; tool results have no author."""
    if _field(message, "role", "type") in {"tool", "function_call_output", "ToolCallExecutionEvent"}:
        return None
    name = _field(message, "name", "source")
    return name if isinstance(name, str) else None


def text_of(message: Any) -> str | None:
    """The text of a message that is nothing but text; None where it has tool calls or other parts."""
    content = _field(message, "content")
    if _field(message, "tool_calls"):
        return None
    return content if isinstance(content, str) else None


def tool_links(message: Any) -> set[str]:
    """Ids of the tool calls that a message makes or answers, in the shapes of the common frameworks."""
    ids = {_field(call, "id", "call_id") for call in _field(message, "tool_calls") or ()}
    ids |= {_field(message, "tool_call_id"), _field(message, "call_id")}
    content = _field(message, "content")
    if isinstance(content, list):
        ids |= {_field(part, "call_id", "id", "tool_use_id") for part in content if not isinstance(part, str)}
    return {value for value in ids if isinstance(value, str)}
