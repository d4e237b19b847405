"""What a terminal would show: no colours, and of a progress bar its last state."""

import re

from modicum.calls.rule import Safety
from modicum.optimizers.arrival import arrival_rule

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # colours, moves of the cursor
    r"|\][^\x07\x1b\n]{0,2000}(?:\x07|\x1b\\)"  # titles and links
    r"|[()][0-9A-Za-z]|[=>78cDEHM])"
)
_MOST_PASSES = 3


def plain_output(text: str) -> str:
    """The text without escapes of terminals, and each line as the last carriage return left it. A line that is
    overwritten by a shorter one is shown as the shorter one alone.
    """
    plain = text
    for _ in range(_MOST_PASSES):  # what is left when an escape goes may make another one
        before, plain = plain, _without_overwritten(_ESCAPES.sub("", plain))
        if plain == before:
            return plain
    return text


def _without_overwritten(text: str) -> str:
    if "\r" not in text:
        return text
    return "\n".join(_last_state(line) if "\r" in line else line for line in text.split("\n"))


def _last_state(line: str) -> str:
    """What the line shows in the end; a carriage return at its end belongs to the line's end."""
    ends = line.rstrip("\r")
    return ends.rpartition("\r")[2] + ("\r" if ends != line else "")


def _may_fit(text: str) -> bool:
    return "\x1b" in text or "\r" in text


TERMINAL = arrival_rule(
    "content.terminal",
    plain_output,
    safety=Safety.LOSSY,
    purpose="no terminal colours and progress bars",
    may_fit=_may_fit,
)
