"""Two rules to run wherever rules run: one looks at anatomy alone, the other needs text."""

from modicum.calls import SegmentKind
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.rule import Rule

LARGE_TOKENS = 100


def drop_large_results(prompt, facts):
    """Leaves out large results of the tool `search`, with the calls that asked for them."""
    large = {
        unit.place
        for unit in prompt.units
        if unit.kind is SegmentKind.TOOL_RESULT and unit.tool == "search" and unit.tokens >= LARGE_TOKENS
    }
    details = {prompt.units[place].detail for place in large}
    calls = {
        unit.place for unit in prompt.units if unit.kind is SegmentKind.TOOL_CALL and unit.detail in details - {b""}
    }
    return Change(left_out=frozenset(large | calls), why="large search results") if large else NO_CHANGE


def shorten_thanks(prompt, facts):
    """Says thanks in one word."""
    found = {unit.place: "Thanks." for unit in prompt.units if unit.text and unit.text.startswith("Thank you so much")}
    return Change(replaced=found, why="thanks in one word") if found else NO_CHANGE


def broken(prompt, facts):
    raise RuntimeError("a bug")


DROP = Rule("toy.drop", drop_large_results)
SHORTEN = Rule("toy.shorten", shorten_thanks)
BROKEN = Rule("toy.broken", broken)
TOYS = (DROP, SHORTEN)
