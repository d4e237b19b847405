"""Where an agent stands in its task: how deep, what it did last, how often it failed. From the prompt alone."""

from collections.abc import Sequence

import msgspec

from modicum.calls.anatomy import SegmentKind
from modicum.calls.prompt import Unit

ERRORS_TO_ESCALATE = 3
"""Tool results that failed in one conversation, after which the best model goes on. They stay in the conversation, so
the model does not change back and forth."""


class Stage(msgspec.Struct, frozen=True):
    depth: int = 0
    """Results of tools so far."""
    errors: int = 0
    """Those that failed."""
    errors_in_a_row: int = 0
    """At the end."""
    last_tool: str = ""

    @property
    def needs_best(self) -> bool:
        """Whether it failed so often that saving on the model is no saving."""
        return self.errors >= ERRORS_TO_ESCALATE


def read_stage(units: Sequence[Unit]) -> Stage:
    """The stage after these parts of a prompt. Works on a live prompt as on one of the ledger."""
    results = [unit for unit in units if unit.kind is SegmentKind.TOOL_RESULT]
    in_a_row = 0
    for unit in reversed(results):
        if not unit.is_error:
            break
        in_a_row += 1
    tools = [unit.tool for unit in units if unit.kind is SegmentKind.TOOL_CALL and unit.tool]
    return Stage(len(results), sum(unit.is_error for unit in results), in_a_row, tools[-1] if tools else "")
