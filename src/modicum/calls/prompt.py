"""The prompt of a call as rules see it: its units in order, with their text where that is at hand.

Live, a prompt holds text. Replayed from the ledger, which keeps none, it holds anatomy alone: kinds, tools, tokens and
digests. Who asks for what is not held gets `NotHeld` and no empty text, so that no rule can take a missing text for one
that says nothing; whoever runs rules makes "not decidable" of it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import accumulate, takewhile

from modicum.calls.anatomy import Segment, SegmentKind
from modicum.calls.change import Change, DoesNotFit, EarlierEdits

CHARACTERS_PER_TOKEN = 4
"""For estimates by length, where nobody has counted."""
NO_TEXT = "it reads the text, and a ledger keeps none"
"""Why a prompt of the ledger says nothing of what it held."""
VOLATILE_NOTE = "[modicum: what changes from call to call stands here, behind what stays the same]"
"""Stands in instructions in front of lines that were moved there."""
AGENT_REMINDER = "<system-reminder>"
"""How a coding agent begins what it writes itself, as the user."""
_BY_MODEL = frozenset({SegmentKind.ASSISTANT, SegmentKind.REASONING, SegmentKind.TOOL_CALL})
_BEFORE_MESSAGES = frozenset({SegmentKind.SYSTEM, SegmentKind.TOOL_SCHEMA, SegmentKind.PREFIX})


class NotHeld(Exception):  # noqa: N818 - it is no error: it says that the rule cannot decide
    """A rule asked for what its prompt does not hold. The message says what, and why it is not there."""


class Unit:
    """What can be left out of a prompt by itself: a message, a block of one, the system prompt, a tool's schema.

    Attributes:
        place: its number in the prompt, from 0.
        kind: what it is. A message that holds a tool call beside words is a TOOL_CALL.
        tool: the tool's name, of schemas, calls and results; empty where it is several or nobody says it.
        name: who said it, where the API has a field for that.
        is_error: a tool result that reports a failure.
    """

    __slots__ = ("_links", "is_error", "kind", "name", "place", "tool")

    def __init__(
        self,
        place: int,
        kind: SegmentKind,
        *,
        tool: str = "",
        name: str = "",
        links: frozenset[str] = frozenset(),
        is_error: bool = False,
    ) -> None:
        self.place, self.kind, self.tool, self.name = place, kind, tool, name
        self._links, self.is_error = links, is_error

    @property
    def links(self) -> frozenset[str]:
        """Ids of the tool calls that it makes or answers, and of whatever else may not stand without it."""
        return self._links

    @property
    def text(self) -> str | None:
        """Its words; None where it is more than text: a tool call, a schema, an image.

        Raises:
            NotHeld: the prompt holds no text.
        """
        raise NotHeld(NO_TEXT)

    @property
    def tokens(self) -> int:
        """Its share of the prompt: as recorded or, live, estimated by its length."""
        raise NotImplementedError

    @property
    def digest(self) -> bytes:
        """The same for the same content within one prompt; compared with nothing else. Empty where nobody saw it."""
        raise NotImplementedError

    @property
    def detail(self) -> bytes:
        """The same for tool calls of the same tool with the same arguments, and for their results, within one prompt;
        empty for all else.
        """
        raise NotImplementedError

    @property
    def is_by_model(self) -> bool:
        """Whether the model made it: an answer, reasoning, a tool call."""
        return self.kind in _BY_MODEL

    @property
    def is_message(self) -> bool:
        """Whether it is a part of the conversation, not of what stands before it (system prompt, tools)."""
        return self.kind not in _BEFORE_MESSAGES


class AnatomyUnit(Unit):
    """A segment that the ledger keeps: without text, and without the ids that tie calls to results."""

    __slots__ = ("_detail", "_digest", "_tokens")

    def __init__(self, place: int, segment: Segment) -> None:
        super().__init__(place, segment.kind, tool=segment.tool, is_error=segment.is_error)
        self._tokens, self._digest, self._detail = segment.tokens, segment.digest, segment.detail

    @property
    def tokens(self) -> int:
        return self._tokens

    @property
    def digest(self) -> bytes:
        return self._digest

    @property
    def detail(self) -> bytes:
        return self._detail


class HeldUnit(AnatomyUnit):
    """A segment with its text, while that passes: nothing is decided by it later.

    Args:
        place: its number in the prompt.
        segment: what is known of it.
        text: None where that is not at hand or more than text.
    """

    __slots__ = ("_text",)

    def __init__(self, place: int, segment: Segment, text: str | None) -> None:
        super().__init__(place, segment)
        self._text = text

    @property
    def text(self) -> str | None:
        return self._text

    @property
    def digest(self) -> bytes:
        """Empty where the text is not at hand: what a rule remembers by digest is of a text."""
        return b"" if self._text is None else self._digest

    def with_text(self, text: str) -> "HeldUnit":
        """The same unit, sent with another text."""
        segment = Segment(
            self.kind, tokens_by_length(text), content_digest(text), self.tool, self.detail, self.is_error
        )
        return HeldUnit(self.place, segment, text)


class RewrittenUnit(Unit):
    """A unit that is sent with another text. `digest` is that text's, where somebody knows it."""

    __slots__ = ("_digest", "_text", "_unit")

    def __init__(self, unit: Unit, text: str, digest: bytes = b"") -> None:
        self.place, self.kind, self.tool, self.name = unit.place, unit.kind, unit.tool, unit.name
        self.is_error, self._text = unit.is_error, text
        self._digest, self._unit = digest, unit

    @property
    def text(self) -> str | None:
        return self._text

    @property
    def tokens(self) -> int:
        return tokens_by_length(self._text)

    @property
    def digest(self) -> bytes:
        if not self._digest:
            self._digest = content_digest(self._text)
        return self._digest

    @property
    def links(self) -> frozenset[str]:
        return self._unit.links

    @property
    def detail(self) -> bytes:
        return self._unit.detail


class Prompt:
    """What a rule may read of a request.

    Args:
        units: in the order in which the model sees them; None: nobody took it apart.
        why_unknown: why not, in that case.
    """

    holds_text = False
    """Whether units have their text: live prompts do, those of the ledger do not."""

    def __init__(self, units: Sequence[Unit] | None, why_unknown: str = "") -> None:
        self._units, self._why_unknown = units, why_unknown

    @property
    def is_known(self) -> bool:
        """Whether there are units to look at."""
        return self._units is not None

    @property
    def units(self) -> Sequence[Unit]:
        """The parts of the prompt, in the order in which the model sees them.

        Raises:
            NotHeld: nobody took the prompt apart.
        """
        if self._units is None:
            raise NotHeld(f"what the prompt is made of: {self._why_unknown}")
        return self._units

    @property
    def tokens(self) -> int:
        """Tokens of all units together."""
        return sum(unit.tokens for unit in self.units)

    def units_at(self, places: Iterable[int]) -> Sequence[Unit]:
        """The units at these places, in their order."""
        units = self.units
        return [units[place] for place in places]

    @property
    def count(self) -> int:
        """How many units there are."""
        return len(self.units)

    def tokens_before(self, place: int) -> int:
        """Tokens of all that stands in front of a unit, as the caller sent it."""
        return self._tokens_before[place]

    @cached_property
    def _tokens_before(self) -> Sequence[int]:
        return [0, *accumulate(unit.tokens for unit in self.units)]

    @cached_property
    def results(self) -> Sequence[Unit]:
        """What tools returned."""
        return [unit for unit in self.units if unit.kind is SegmentKind.TOOL_RESULT] if self.may_hold_results else []

    @property
    def new_results(self) -> Sequence[Unit]:
        """What tools returned behind the beginning of which `earlier_edits` speaks; all, if there is none."""
        return self.results

    @property
    def new_units(self) -> tuple[int, Sequence[Unit]]:
        """All units behind that beginning, and the tokens in front of them, as rules left it so far."""
        return 0, self.units

    def earlier_edits(self, rule: str) -> EarlierEdits | None:  # noqa: ARG002 - for prompts that remember
        """What a rule made of the beginning; None: nothing, or it is not known."""
        return None

    @property
    def schemas(self) -> Sequence[Unit]:
        """Tools that stand in front of the conversation."""
        head = takewhile(lambda unit: not unit.is_message, self.units)
        return [unit for unit in head if unit.kind is SegmentKind.TOOL_SCHEMA]

    @property
    def tool_names(self) -> tuple[str, ...]:
        """Of these tools."""
        return tuple(unit.tool for unit in self.schemas)

    @property
    def system(self) -> str:
        """The instructions, as one text.

        Raises:
            NotHeld: the prompt holds no text.
        """
        if not self.holds_text:
            raise NotHeld(NO_TEXT)
        return "\n".join(unit.text or "" for unit in self.units if unit.kind is SegmentKind.SYSTEM)

    @property
    def may_hold_results(self) -> bool:
        """Whether it may have results of tools; False is certain, and does not take reading it."""
        return True

    @property
    def marks_cache(self) -> bool:
        """Whether the caller says itself what is to be cached.

        Raises:
            NotHeld: a ledger does not know.
        """
        raise NotHeld("it reads the caller's cache marks, and a ledger keeps none")

    @property
    def has_cache_marks(self) -> bool:
        """Whether the caller marks something for the cache.

        Raises:
            NotHeld: a ledger does not know.
        """
        raise NotHeld("it reads the caller's cache marks, and a ledger keeps none")

    @property
    def has_sorted_schemas(self) -> bool:
        """Whether the keys of all tools' schemas stand in the order of the alphabet.

        Raises:
            NotHeld: a ledger does not know.
        """
        raise NotHeld("it reads the tools' schemas, and a ledger keeps none")

    @property
    def takes_cache_key(self) -> bool:
        """Whether its API takes a name of the conversation for its cache, and the caller gives none.

        Raises:
            NotHeld: a ledger does not know.
        """
        raise NotHeld("it reads the request's fields, and a ledger keeps none")

    @property
    def effort(self) -> str:
        """How much the caller wants the model to think, in the words of its API; empty: it does not say.

        Raises:
            NotHeld: a ledger does not know.
        """
        raise NotHeld("it reads the request's fields, and a ledger keeps none")

    @property
    def ends_with_tool_result(self) -> bool:
        """The call goes on with a turn that asked for tools."""
        return bool(self.units) and self.units[-1].kind is SegmentKind.TOOL_RESULT

    def check(self, change: Change) -> None:
        """Whether the change fits this prompt.

        Raises:
            DoesNotFit: nothing would be left to say, a unit is not there, or has no text that could be another one.
        """
        count = self.count
        places = *change.left_out, *change.replaced
        if places and not (min(places) >= 0 and max(places) < count):
            raise DoesNotFit("the prompt has no such unit")
        if change.left_out and not any(unit.is_message and unit.place not in change.left_out for unit in self.units):
            raise DoesNotFit("nothing would be left to say")


class AnatomyPrompt(Prompt):
    """A prompt of the ledger. Its units are made when they are first asked for."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        super().__init__(None)
        self._segments = segments

    @property
    def is_known(self) -> bool:
        return True

    @property
    def units(self) -> Sequence[Unit]:
        if self._units is None:
            self._units = [AnatomyUnit(place, segment) for place, segment in enumerate(self._segments)]
        return self._units

    def apply(self, change: Change) -> "AnatomyPrompt":
        """The prompt after a change: the one place where changes are made in an anatomy. Tokens of a new text are
        estimated by its length.

        Raises:
            DoesNotFit: the prompt cannot take it.
        """
        self.check(change)
        segments = [
            segment if place not in change.replaced else _replaced(segment, change.replaced[place])
            for place, segment in enumerate(self._segments)
            if place not in change.left_out
        ]
        schemas = [place for place, one in enumerate(segments) if one.kind is SegmentKind.TOOL_SCHEMA]
        behind = schemas[-1] + 1 if schemas else 0
        own = [Segment(SegmentKind.TOOL_SCHEMA, tool.tokens, tool=tool.name) for tool in change.own_tools]
        return AnatomyPrompt([*segments[:behind], *own, *segments[behind:]])


class HeldPrompt(Prompt):
    """A prompt of the past with its texts, while a log is read."""

    holds_text = True

    def __init__(self, units: Sequence[HeldUnit]) -> None:
        super().__init__(units)
        self._held = units

    def check(self, change: Change) -> None:
        """Whether the change fits this prompt.

        Raises:
            DoesNotFit: the prompt cannot take it, or it leaves units out.
        """
        super().check(change)
        if change.left_out:
            raise DoesNotFit("units are not left out of a prompt of the past")

    def apply(self, change: Change) -> "HeldPrompt":
        """The prompt after a change.

        Raises:
            DoesNotFit: as `check`.
        """
        self.check(change)
        units = list(self._held)
        for place, text in change.replaced.items():
            units[place] = units[place].with_text(text)
        return HeldPrompt(units)


def _replaced(segment: Segment, text: str) -> Segment:
    return Segment(
        segment.kind,
        tokens_by_length(text),
        tool=segment.tool,
        detail=segment.detail,
        is_error=segment.is_error,
    )


def content_digest(content: bytes | str) -> bytes:
    """The digest of a unit's text or bytes."""
    whole = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return hashlib.sha256(whole).digest()[:16]  # in hardware: half the time of others


def tokens_by_length(content: str | bytes) -> int:
    """An estimate, where counting would take too long."""
    return len(content) // CHARACTERS_PER_TOKEN + 1
