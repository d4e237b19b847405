"""One result of a tool through the rules of the gateway."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from modicum.calls import SegmentKind
from modicum.calls.change import Change
from modicum.calls.containment import contain
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt, Unit, content_digest, tokens_by_length
from modicum.hooks.agents import HookedResult
from modicum.optimizers.all_rules import CONTENT_RULES
from modicum.optimizers.repeats import REPEATS

_FACTS = Facts(at=datetime(2026, 1, 1, tzinfo=UTC), model="")
"""Rules on the text of a result ask for none."""
_RESULT = 2


class _TextUnit(Unit):
    __slots__ = ("_text",)

    def __init__(self, place: int, kind: SegmentKind, text: str, tool: str) -> None:
        super().__init__(place, kind, tool=tool)
        self._text = text

    @property
    def text(self) -> str | None:
        return self._text

    @property
    def tokens(self) -> int:
        return tokens_by_length(self._text)

    @property
    def digest(self) -> bytes:
        return content_digest(self._text)

    @property
    def detail(self) -> bytes:
        return b""


def is_chosen(rule: str, names: frozenset[str] | None) -> bool:
    """Whether a rule is among those that were chosen. None: all are."""
    return names is None or rule in names


def shorten(
    result: HookedResult, names: frozenset[str] | None, on_failure: Callable[[Exception], None]
) -> Iterator[tuple[str, str]]:
    """What chosen rules make of a result, one after another: the name of each that changes it, and the text after it.
    A rule that fails changes nothing.
    """
    text = result.text
    for rule in CONTENT_RULES:
        if rule is REPEATS or not is_chosen(rule.name, names):
            # repeats are looked for among all results of the session (`session_memory.py`)
            continue
        with contain(on_failure):
            change = rule.decide(_prompt(result, text), _FACTS)
            if isinstance(change, Change) and _RESULT in change.replaced:
                text = change.replaced[_RESULT]
                yield rule.name, text


def _prompt(result: HookedResult, text: str) -> Prompt:
    """A conversation in which this is the only result. Coding agents have a tool that quotes files."""
    units = [
        _TextUnit(0, SegmentKind.TOOL_SCHEMA, "", "edit"),
        _TextUnit(1, SegmentKind.USER, result.question, ""),
        _TextUnit(_RESULT, SegmentKind.TOOL_RESULT, text, result.tool),
    ]
    prompt = Prompt(units)
    prompt.holds_text = True
    return prompt
