"""What is on trial: a change to calls, the tasks that have it, and the loss that its owner accepts."""

import hashlib
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase

import msgspec

from modicum.calls import UserError

TAG = "experiment."
"""Calls of an experiment carry its arm in the tag of this beginning and its name."""
MOST_NAME_CHARACTERS = 60


class Arm(StrEnum):
    CHANGED = "changed"
    HOLD_OUT = "hold_out"
    """Goes on as it was."""


class ChangeKind(StrEnum):
    MODEL = "model"
    """Calls for one model ask another."""
    RULE = "rule"
    """A rule runs on calls, or does not."""
    TEAM = "team"
    """A team's plan is applied, or the full team runs."""


class ExperimentState(StrEnum):
    RUNNING = "running"
    KEPT = "kept"
    """It ended, and all calls have the change."""
    ROLLED_BACK = "rolled_back"
    """It ended by itself because it did harm: no call has the change."""
    STOPPED = "stopped"
    """It ended otherwise: no call has the change."""


class Experiment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    kind: ChangeKind
    subject: str
    """The model that calls ask for, the rule, or the team."""
    to: str = ""
    """The model that is asked instead."""
    outcome: str
    """The name of the outcome that counts, a share in 0..1."""
    margin: float
    """The loss of outcome that the owner accepts, as a share: 0.05 is 5 points."""
    hold_out: float = 0.5
    """Share of tasks that go on as they were."""
    settle_s: float = 0.0
    """Seconds from a task's first call until its outcome is in; younger tasks are not graded."""
    estimated_saving: float | None = None
    """The share of a task's dollars that a replay of the ledger, made before the start, says it saves."""
    why_not_estimated: str = ""
    """Why there is no such share; empty: there is one, or an earlier version started it."""
    started_at: datetime
    state: ExperimentState = ExperimentState.RUNNING
    ended_at: datetime | None = None
    why: str = ""
    """Why it is in this state."""

    @property
    def tag(self) -> str:
        return TAG + self.name

    @property
    def rule_name(self) -> str:
        """Under which its changes of calls are booked."""
        return TAG + self.name

    @property
    def identity(self) -> str:
        """What is drawn by: one that is started again draws anew."""
        return f"{self.name}\0{self.started_at.timestamp():.6f}"

    def arm_of(self, task: str, key: bytes) -> Arm:
        """The arm of a task: the same in every process and at any time, and for nobody to foresee without the key."""
        return Arm.HOLD_OUT if draw(self.identity, task, key) < self.hold_out else Arm.CHANGED

    def is_about(self, model: str) -> bool:
        return self.kind is ChangeKind.MODEL and fnmatchcase(model, self.subject)


def draw(experiment: str, task: str, key: bytes) -> float:
    """A number in 0..1 that experiment, task and key decide."""
    text = f"{experiment}\0{task}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=7, key=key[:64]).digest(), "big") / 2**56


def check_experiment(one: Experiment) -> None:
    """Whether it can be run.

    Raises:
        UserError: something in it is wrong; the message says what is accepted.
    """
    plain = one.name.replace("-", "").replace("_", "").replace(".", "")
    if not plain.isascii() or not plain.isalnum() or len(one.name) > MOST_NAME_CHARACTERS:
        raise UserError(
            f"an experiment cannot be named '{one.name}'; accepted are letters, digits, '.', '-' and '_', at most "
            f"{MOST_NAME_CHARACTERS}"
        )
    if not one.subject or not one.outcome:
        raise UserError("an experiment needs what it is about and an outcome; 'modicum outcome list' shows the names")
    if one.kind is ChangeKind.MODEL and (not one.to or one.to == one.subject):
        raise UserError(f"an experiment on the model '{one.subject}' needs another one to ask instead: --to MODEL")
    if not 0 < one.margin < 1:
        raise UserError(f"the margin is {one.margin:g}; accepted is a share between 0 and 1: 0.05 is 5 points")
    if not 0.01 <= one.hold_out <= 0.99:
        raise UserError(f"the hold-out is {one.hold_out:g}; accepted is a share of tasks from 0.01 to 0.99")
    if one.settle_s < 0:
        raise UserError("the time that outcomes take cannot be negative")
