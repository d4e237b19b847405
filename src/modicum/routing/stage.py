"""Where an agent stands in its task: how deep, what it did last, how often it failed. From the prompt alone."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from modicum.calls.anatomy import Segment, SegmentKind
from modicum.calls.prompt import Unit
from modicum.context.tool_work import ToolWork, work_of

if TYPE_CHECKING:
    from modicum.routing.sparse_rows import Floats

ERRORS_TO_ESCALATE = 3
"""Tool results that failed in one conversation, after which the best model goes on. They stay in the conversation, so
the model does not change back and forth."""
_MOST_IN_A_ROW = 5


class Phase(StrEnum):
    """What an agent is about."""

    BEGUN = "begun"
    """It has used no tool."""
    EXPLORING = "exploring"
    """It has written nothing yet."""
    CHANGING = "changing"
    """Its last tool wrote."""
    CHECKING = "checking"
    """It has written, and now reads or runs something."""


class Stage(msgspec.Struct, frozen=True):
    depth: int = 0
    """Results of tools so far."""
    errors: int = 0
    """Those that failed."""
    errors_in_a_row: int = 0
    """At the end."""
    last_tool: str = ""
    has_written: bool = False
    """Some tool so far has written, judged by its name."""

    @property
    def needs_best(self) -> bool:
        """Whether it failed so often that saving on the model is no saving."""
        return self.errors >= ERRORS_TO_ESCALATE

    @property
    def phase(self) -> Phase:
        if not self.depth and not self.last_tool:
            return Phase.BEGUN
        if work_of(self.last_tool) is ToolWork.WRITES:
            return Phase.CHANGING
        return Phase.CHECKING if self.has_written else Phase.EXPLORING

    def after_call(self, tool: str) -> "Stage":
        """The stage once the model has called this tool."""
        if not tool:
            return self
        wrote = self.has_written or work_of(tool) is ToolWork.WRITES
        return msgspec.structs.replace(self, last_tool=tool, has_written=wrote)

    def after_result(self, *, is_error: bool) -> "Stage":
        """The stage once a tool has answered."""
        return msgspec.structs.replace(
            self,
            depth=self.depth + 1,
            errors=self.errors + is_error,
            errors_in_a_row=self.errors_in_a_row + 1 if is_error else 0,
        )


class AgentStep(NamedTuple):
    """A moment at which a model was, or will be, asked."""

    stage: Stage
    tokens: int
    """Of the prompt at that moment."""


_WORKS = ToolWork.READS, ToolWork.WRITES, ToolWork.OTHER
_PHASES = tuple(Phase)
STEP_FEATURES = (
    "depth",
    "errors",
    "errors_in_a_row",
    "share_of_errors",
    *(f"last_tool_{work.value}" for work in _WORKS),
    *(f"phase_{phase.value}" for phase in _PHASES),
)


def step_features(stages: Sequence[Stage]) -> "Floats":
    """What learners see of stages: a row each, in the order of `STEP_FEATURES`."""
    import numpy as np  # a gateway reads stages without it

    rows: Floats = np.array([_features_of(stage) for stage in stages], float).reshape(len(stages), len(STEP_FEATURES))
    rows[:, :2] = np.log1p(rows[:, :2])
    return rows


def _features_of(stage: Stage) -> tuple[float, ...]:
    """With the counts as they are: their logarithms are taken of all stages at once."""
    work, phase = work_of(stage.last_tool), stage.phase
    return (
        stage.depth,
        stage.errors,
        min(stage.errors_in_a_row, _MOST_IN_A_ROW),
        stage.errors / max(1, stage.depth),
        *(work is one for one in _WORKS),
        *(phase is one for one in _PHASES),
    )


def read_stage(parts: Sequence[Unit | Segment]) -> Stage:
    """The stage after these parts of a prompt, which may be a live one or one of the ledger."""
    stage = Stage()
    for part in parts:
        stage = _after(stage, part)
    return stage


def read_steps(units: Sequence[Unit]) -> list[AgentStep]:
    """Every moment of a conversation at which a model was asked, the one to come last.

    A model was asked where something of it stands behind something that is not.
    """
    steps: list[AgentStep] = []
    stage, tokens, was_model = Stage(), 0, False
    for unit in units:
        is_model = unit.kind in _BY_MODEL
        if is_model and not was_model:
            steps.append(AgentStep(stage, tokens))
        stage, tokens, was_model = _after(stage, unit), tokens + unit.tokens, is_model
    return [*steps, AgentStep(stage, tokens)]


_BY_MODEL = frozenset({SegmentKind.ASSISTANT, SegmentKind.REASONING, SegmentKind.TOOL_CALL})


def _after(stage: Stage, part: Unit | Segment) -> Stage:
    if part.kind is SegmentKind.TOOL_CALL:
        return stage.after_call(part.tool)
    return stage.after_result(is_error=part.is_error) if part.kind is SegmentKind.TOOL_RESULT else stage
