"""A tool result that stands in the conversation already, as a line that says where."""

from modicum.calls import SegmentKind
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt
from modicum.calls.rule import Rule, Safety
from modicum.optimizers.arrival import change_of, shortened

LEAST_CHARACTERS = 400
PURPOSE = "repeats as a reference to the first"
_SHOWN = 60


def refer_to_repeats(prompt: Prompt, _facts: Facts) -> Change:
    """Puts a reference in place of a result that is the very text of one before it. It depends on what stands before
    the result alone, so it stays the same while the conversation grows.
    """
    first: dict[str, int] = {}
    replaced: dict[int, str] = {}
    number = 0
    for unit in prompt.units:
        if unit.kind is not SegmentKind.TOOL_RESULT:
            continue
        number += 1
        text = unit.text
        if text is None or len(text) < LEAST_CHARACTERS:
            continue
        if text not in first:
            first[text] = number
            continue
        shorter = shortened(lambda one, number=first[text]: reference(one, number), text)  # type: ignore[misc]
        if shorter is not None:
            replaced[unit.place] = shorter
    return change_of(replaced, PURPOSE) if replaced else NO_CHANGE


def reference(text: str, number: int) -> str:
    """What stands in place of a text that was result `number` of the conversation."""
    begins = text.lstrip().partition("\n")[0].partition("\r")[0][:_SHOWN]
    return f"[modicum: unchanged, the same text as tool result {number} above, which begins: {begins}]"


REPEATS = Rule(
    "content.repeats", refer_to_repeats, Safety.REVERSIBLE, is_cache_safe=True, purpose=PURPOSE, needs_results=True
)
