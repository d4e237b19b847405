"""Data that carry no verdict, one kind each, for `compare`, `trial` and `experiment`: a sentence, no confident number.

A command that hangs is run for real; the others are what such commands, logs and files leave behind.
"""

import sys
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from experiments.sample_results import result
from experiments.samples import altered, experiment, tasks
from modicum.calls import UserError
from modicum.cli.evaluation.graders import choose_grader
from modicum.cli.trials.running import TrialRunner
from modicum.experiments.comparison import compare
from modicum.experiments.comparison_pairs import ComparisonRules
from modicum.experiments.evaluation.eval_task import EvalTask
from modicum.experiments.experiment import Arm
from modicum.experiments.gate import Verdict
from modicum.experiments.grading import grade
from modicum.experiments.trials.saver_trial import SaverTask, SaverTrial, TrialRun, plan_runs, run_id_of
from modicum.experiments.trials.verdict import judge_trial
from modicum.metering.prices import PriceBook

START = datetime(2026, 3, 1, tzinfo=UTC)


def compared(*results):
    """All sentences of a comparison, and the pair."""
    found = compare(results, ComparisonRules())
    return " ".join([*found.remarks, *found.pairs[0].sentences]), found.pairs[0]


def tried(change=lambda run, _: run, *, count=60, repeats=1, effect=1.0):
    """The verdict on a saver that takes `effect` of the tokens, with the record changed."""
    trial = SaverTrial(saver="s", command=["c"], tasks=[SaverTask(task=f"t{n}") for n in range(count)], repeats=repeats)
    random = np.random.default_rng(5)
    runs = []
    for step in plan_runs(trial):
        size = 1 + int(step.task.task[1:]) % 7
        used = int(1000 * size * (effect if step.arm == "with" else 1) * random.lognormal(0, 0.1))
        run = TrialRun(
            run_id=run_id_of(trial, step),
            arm=step.arm,
            task=step.task.task,
            outcome=1.0,
            status="ended",
            exit_code=0,
            started_at=START + timedelta(minutes=step.number),
            seconds=1.0,
            prompt_tokens=0,
            completion_tokens=used,
            total_tokens=used,
            cost_usd=used / 1e6,
        )
        runs.append(change(run, step))
    return judge_trial(trial, [run for run in runs if run is not None])


def set_on(run, **fields):
    return msgspec.structs.replace(run, **fields)


def remarks_of(verdict):
    return " ".join([verdict.sentence, *verdict.remarks])


class TestUnpairedTasks:
    def test_compare(self):
        said, pair = compared(*(result("a", n) for n in range(40)), *(result("b", n, cost=0.1) for n in range(50, 90)))

        assert "have no task in common: they cannot be compared" in said
        assert all(ratio.value is None for ratio in pair.ratios.values())

    def test_trial(self):
        found = tried(lambda run, step: run if (step.arm == "with") == (step.number % 4 < 2) else None, effect=0.5)

        assert (found.verdict, found.ratio) == ("cannot_say", None)
        assert "no task ran both with and without it" in found.sentence

    def test_experiment(self):
        """Tasks of an experiment are not paired, they are drawn; what corresponds is that only one arm came."""
        found = grade(experiment(), [task for task in tasks(60) if task.arm is Arm.CHANGED][:9])

        assert (found.verdict, found.effect) == (Verdict.GO_ON, None)
        assert "only one arm has outcomes" in found.why


class TestOneTaskManyTimes:
    def test_compare(self):
        costs = (("a", 1.0), ("b", 0.5))
        said, pair = compared(*(result(arm, "t", cost=cost) for arm, cost in costs for _ in range(200)))

        assert "one task (or group) alone has no spread" in said
        assert (pair.ratios["cost_usd"].low, pair.ratios["cost_usd"].direction) == (None, 0)
        assert pair.success.low < -0.5

    def test_trial(self):
        found = tried(count=1, repeats=50, effect=0.5)

        assert (found.verdict, found.low) == ("cannot_say", None)
        assert "one task (or group) alone has no spread" in found.sentence

    def test_experiment(self):
        """Thousands of calls of one task are one observation."""
        found = grade(experiment(), [altered(tasks(1)[0], calls=5_000, calls_concerned=5_000, calls_applied=5_000)])

        assert (found.verdict, found.effect) == (Verdict.GO_ON, None)
        assert found.tokens.low is None


class TestNoOutcomes:
    def test_compare(self):
        said, pair = compared(*(result(arm, n, None, cost=c) for arm, c in (("a", 1.0), ("b", 0.5)) for n in range(40)))

        assert "nothing can be said about success; what follows is what they took, whatever came of it" in said
        assert "reaches the same outcomes" not in said.replace("that it reaches the same outcomes is not shown", "")
        assert pair.success is None

    def test_trial(self):
        """A run always ends in some way, so an outcome is only missing where a record was made elsewhere."""
        found = tried(lambda run, _: set_on(run, outcome=None), effect=0.5)

        assert (found.verdict, found.low) == ("cannot_say", None)
        assert "no task was graded in both arms" in found.sentence

    def test_experiment(self):
        found = grade(experiment(), [altered(task, outcome_low=None, outcome_high=None) for task in tasks(500)])

        assert (found.verdict, found.effect) == (Verdict.GO_ON, None)
        assert "none of 500 tasks has an outcome 'resolved'" in found.why


class TestAllOutcomesEqual:
    @pytest.mark.parametrize("outcome", [0.0, 1.0])
    def test_compare(self, outcome):
        said, pair = compared(*(result(arm, n, outcome, cost=1 + n) for arm in "ab" for n in range(20)))

        assert "all outcomes are equal, so success cannot tell the arms apart" in said
        assert "is not ruled out; if there is none, about 54 tasks show it" in said
        assert not pair.success.is_not_worse

    def test_trial(self):
        found = tried(count=20, effect=0.5)

        assert found.verdict == "not_shown"
        assert "its outcomes are not shown to hold" in found.sentence
        assert found.tasks_needed >= 54

    @pytest.mark.parametrize("outcome", [0.0, 1.0])
    def test_experiment(self, outcome):
        made = [altered(task, outcome_low=outcome, outcome_high=outcome) for task in tasks(5_000)]
        found = grade(experiment(), made)

        assert (found.verdict, found.effect) == (Verdict.GO_ON, None)
        assert "an outcome that never differs cannot tell better from worse" in " ".join(found.remarks)


class TestDriftingTraffic:
    def test_compare(self):
        """The second arm ran after the first, in a week in which everything failed more often."""
        rows = [result("a", n, float(n % 10 > 0), started_at=START + timedelta(hours=n)) for n in range(100)]
        rows += [result("b", n, float(n % 2), started_at=START + timedelta(hours=200 + n)) for n in range(100)]
        said, _ = compared(*rows)

        assert "hardly at the same time, so what changed in between" in said

    def test_compare_names_what_changed_within_an_arm(self):
        rows = [
            result(arm, n, float(n < 50 or n % 2), cost=1 + n % 3, started_at=START + timedelta(hours=n))
            for arm in "ab"
            for n in range(100)
        ]
        said, pair = compared(*rows)

        assert "a drifts: its mean outcome went from 1" in said
        assert pair.success.value == 0

    def test_trial(self):
        """Everything takes three times as much and fails more often from half of the trial on: no effect is found."""

        def later(run, step):
            late = step.number > 120
            times = 3 if late else 1
            return set_on(run, cost_usd=run.cost_usd * times, outcome=float(not late or step.number // 2 % 2))

        found = tried(later, count=120)

        assert found.verdict == "not_shown", found.sentence
        assert found.low < 1 < found.high
        assert "without drifts: its mean outcome went from" in remarks_of(found)

    def test_experiment(self):
        found = grade(experiment(), tasks(3_000, base=0.95) + tasks(6_000, base=0.5, seed=1)[3_000:])

        assert found.verdict in {Verdict.GO_ON, Verdict.SAFE}
        assert "traffic drifts: the hold-out's outcomes went from" in " ".join(found.remarks)


class TestAModelThatVanished:
    def test_compare(self):
        """Half of the runs of an arm have neither reply nor outcome: they are missing, and no failures."""
        rows = [result("a", n) for n in range(40)]
        rows += [result("b", n) if n < 20 else result("b", n, None, None, None) for n in range(40)]
        said, pair = compared(*rows)

        assert "b: 20 of 40 runs have no outcome; they are in no success rate" in said
        assert pair.success.tasks == 20
        assert not pair.success.is_not_worse

    def test_trial(self):
        """From a moment on no run has any call, under both arms."""

        def vanish(run, step):
            gone = {"outcome": 0.0, "exit_code": 1, "cost_usd": None, "total_tokens": None, "completion_tokens": None}
            return set_on(run, **gone) if step.number > 60 else run

        found = tried(vanish, effect=0.5)
        said = remarks_of(found)

        assert found.verdict == "not_shown"  # thirty tasks that all passed leave a greater loss open than the margin
        assert "runs failed under both arms without one metered call" in said
        assert "nobody knows what they took: their logs had no calls" in said

    def test_experiment(self):
        found = grade(experiment(), [altered(task, calls_applied=0) for task in tasks(300)])

        assert (found.verdict, found.effect) == (Verdict.STOP, None)
        assert "is the model 'gpt-4o-mini' still served" in found.why


class TestContradictoryOutcomes:
    def test_compare(self):
        rows = [result(arm, n, float(n % 2), run_id=f"{arm}{n}") for arm in "ab" for n in range(20)]
        rows += [result("b", n, 1.0 - n % 2, run_id=f"b{n}") for n in range(20)]
        said, pair = compared(*rows, result("b", 99))

        assert "20 runs stand more than once with different outcomes or figures; nobody can say which is true" in said
        assert pair.tasks == 0
        with pytest.raises(UserError, match="no results to compare: 2 runs stand more than once"):
            compared(*(result(arm, 1, outcome, run_id="r") for arm in "ab" for outcome in (0.0, 1.0)))

    def test_trial(self):
        """Two records were put together: each run stands twice, once passed and once failed."""
        trial = SaverTrial(saver="s", command=["c"], tasks=[SaverTask(task=f"t{n}") for n in range(20)])
        runs = [
            TrialRun(
                run_id=run_id_of(trial, step),
                arm=step.arm,
                task=step.task.task,
                outcome=outcome,
                status="ended",
                exit_code=0,
                started_at=START,
                seconds=1.0,
                prompt_tokens=1,
                completion_tokens=1,
                total_tokens=2,
                cost_usd=0.1,
            )
            for step in plan_runs(trial)
            for outcome in (0.0, 1.0)
        ]
        found = judge_trial(trial, runs)

        assert (found.verdict, found.ratio, found.low) == ("cannot_say", None, None)
        assert "contradict each other" in remarks_of(found)

    def test_experiment(self):
        made = [
            altered(task, outcome_low=0.0, outcome_high=1.0) if n % 3 == 0 else task
            for n, task in enumerate(tasks(900))
        ]
        found = grade(experiment(), made)

        assert (found.verdict, found.effect) == (Verdict.STOP, None)
        assert "contradict each other: nobody knows which one is right" in found.why


class TestScoresOutsideTheirRange:
    @pytest.mark.parametrize("score", [87.0, -1.0, float("nan"), float("inf")])
    def test_compare(self, score):
        said, pair = compared(*(result(arm, n, score, cost=1 + n) for arm in "ab" for n in range(20)))

        assert "40 outcomes lie outside 0..1 and count as not graded" in said
        assert pair.success is None

    @pytest.mark.parametrize("score", [87.0, -1.0])
    def test_trial(self, score):
        found = tried(lambda run, _: set_on(run, outcome=score), effect=0.5)

        assert (found.verdict, found.low) == ("cannot_say", None)
        assert "outcomes lie outside 0..1 and count as not graded" in remarks_of(found)

    @pytest.mark.parametrize("score", [87.0, -1.0, float("nan")])
    def test_experiment(self, score):
        found = grade(experiment(), [altered(task, outcome_low=score, outcome_high=score) for task in tasks(500)])

        assert (found.verdict, found.effect) == (Verdict.GO_ON, None)
        assert "is a share in 0..1" in found.why


class TestACommandThatHangs:
    def test_compare(self):
        """The command that grades a run of `compare run`."""
        grader = choose_grader(f"command:{sys.executable} -c 'import time; time.sleep(60)'", timeout_s=0.2)
        graded = grader(EvalTask(task="t", prompt="p"), "reply")

        assert graded.outcome is None
        assert "took longer than 0.2 s" in graded.note

    def test_trial(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        hang = [sys.executable, "-c", "import time; time.sleep(60)"]
        trial = SaverTrial(saver="s", command=hang, tasks=[SaverTask(task="t")], timeout_s=0.2)
        runs = TrialRunner(trial, tmp_path / "record", PriceBook()).run_missing([], lambda *_: None)
        found = judge_trial(trial, runs)

        assert [(run.status, run.outcome, run.cost_usd) for run in runs] == [("timed_out", 0.0, None)] * 2
        assert (found.verdict, found.low) == ("cannot_say", None)
        assert "took longer than 0.2 s, and failed" in remarks_of(found)

    def test_experiment(self):
        """Tasks that hang with the change never get an outcome: what is missing may be the failures."""
        made = [
            altered(task, outcome_low=None, outcome_high=None) if task.arm is Arm.CHANGED and n % 3 == 0 else task
            for n, task in enumerate(tasks(2_000))
        ]
        found = grade(experiment(), made)

        assert (found.verdict, found.effect) == (Verdict.STOP, None)
        assert "outcomes are missing more often in one arm" in found.why
