"""What is fixed before a trial's first task, and what each of its runs came to."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

WITH, WITHOUT = "with", "without"
ARMS = (WITHOUT, WITH)
"""The baseline first."""
MEASURES = ("cost_usd", "total_tokens", "completion_tokens", "seconds")


class SaverTask(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    task: str
    prompt: str = ""
    """Put where the command says {prompt}."""
    check: str = ""
    """A command that ends with status 0 if the task succeeded; empty: that of the trial."""
    group: str = ""
    """Tasks of one group resemble each other, and count together in intervals."""


class SaverTrial(msgspec.Struct, frozen=True, kw_only=True):
    """The plan. Its digest stands in the governance log before the first run."""

    saver: str
    command: list[str]
    words_with: list[str] = []
    """What stands where the command says {arm}, with the saver."""
    words_without: list[str] = []
    environment: dict[str, str] = {}
    """Set for runs with the saver only."""
    before_with: str = ""
    """A command that runs before each run with the saver; it switches the saver on."""
    before_without: str = ""
    check: str = ""
    """Ends with status 0 if the task succeeded; empty: the command's own status counts."""
    tasks: list[SaverTask]
    repeats: int = 1
    """Runs of each task under each arm."""
    seed: int = 0
    margin: float = 0.05
    """The loss of success, as a share, up to which outcomes count as the same."""
    measure: str = "cost_usd"
    """What decides over saved or not."""
    meter: str = "output"
    """`output`: what the command prints is a log; `gateway`: the run's calls in the ledger; else where its logs are."""
    timeout_s: float = 1800.0
    copied_folder: str = ""
    """Every run works in a fresh copy of it; empty: all runs work where the trial was started."""

    @property
    def digest(self) -> str:
        """Of all that was fixed, so that nobody can change it later unseen."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


class TrialStep(msgspec.Struct, frozen=True):
    number: int
    task: SaverTask
    repeat: int
    arm: str


class ModelUse(msgspec.Struct, frozen=True, kw_only=True):
    """What one run took of one model."""

    model: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    price: str = ""
    """Source and version of its rates."""
    clients: list[str] = []
    """Versions of the program that called, as far as its logs or calls say them."""
    tokens_by_bucket: dict[str, int] = {}
    cost_by_bucket: dict[str, float] = {}
    """Together with the tokens, the rates that were applied."""


class TrialRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run, as a row that `modicum compare` reads too. What is not known is None, never 0."""

    run_id: str
    arm: str
    task: str
    group: str = ""
    outcome: float
    """1: it succeeded; 0: it failed, or was ended because it took too long."""
    status: Literal["ended", "timed_out"]
    exit_code: int | None
    started_at: datetime
    seconds: float
    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    cost_usd: float | None
    basis: str = "unknown"
    models: list[ModelUse] = []
    problems: list[str] = []


def plan_runs(trial: SaverTrial) -> list[TrialStep]:
    """All runs in the order in which they are made.

    Pairs (a task with one repeat) are ordered by a hash of seed, task and repeat, and the same hash draws which arm of
    a pair goes first: what changes with time hits both arms alike, and anybody can work the order out again.
    """
    pairs = [(task, repeat) for task in trial.tasks for repeat in range(trial.repeats)]
    drawn = sorted((_draw(trial.seed, task.task, repeat), task.task, repeat, task) for task, repeat in pairs)
    runs: list[TrialStep] = []
    for lot, _, repeat, task in drawn:
        arms: Sequence[str] = ARMS if lot[-1] % 2 else ARMS[::-1]
        runs += [TrialStep(len(runs) + place, task, repeat, arm) for place, arm in enumerate(arms)]
    return runs


def run_id_of(trial: SaverTrial, run: TrialStep) -> str:
    """The name of a run: in the record, and as the task of its calls at the gateway."""
    return f"trial-{trial.digest[:12]}-{run.number}"


def _draw(seed: int, task: str, repeat: int) -> bytes:
    return hashlib.sha256(f"{seed}/{repeat}/{task}".encode()).digest()
