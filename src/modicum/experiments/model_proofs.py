"""What experiments and comparisons show of one model in the place of another."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import msgspec

from modicum.calls.task_result import TaskResult
from modicum.calls.words.counted_nouns import number_of
from modicum.experiments.comparison import compare
from modicum.experiments.comparison_pairs import ComparedPair, ComparisonRules
from modicum.experiments.experiment import ChangeKind, Experiment, ExperimentState


class ModelVerdict(msgspec.Struct, frozen=True, kw_only=True):
    model: str
    other: str
    """The model in its place."""
    is_proven: bool
    """True: its outcomes hold. False: they do not."""
    why: str


def judge_experiments(experiments: Iterable[Experiment], models: Sequence[str]) -> list[ModelVerdict]:
    """Of experiments with a model that have ended: kept is proof, rolled back is the contrary, stopped is neither."""
    return [
        ModelVerdict(
            model=model,
            other=one.to,
            is_proven=one.state is ExperimentState.KEPT,
            why=f"experiment {one.name} was {one.state.replace('_', ' ')}{_day(one)} "
            f"(outcome {one.outcome}, accepted loss {one.margin * 100:g} points)",
        )
        for one in experiments
        if one.kind is ChangeKind.MODEL and one.state in {ExperimentState.KEPT, ExperimentState.ROLLED_BACK}
        for model in models
        if fnmatchcase(model, one.subject)
    ]


def _day(one: Experiment) -> str:
    return f" {one.ended_at:%Y-%m-%d}" if one.ended_at else ""


def judge_comparison(results: Sequence[TaskResult]) -> list[ModelVerdict]:
    """Of every two models that ran the same tasks: proof where a loss beyond the margin is ruled out, also among all
    that are judged together; the contrary where a gain and no change are ruled out.
    """
    rules = ComparisonRules()
    verdicts = []
    for model in dict.fromkeys(result.arm for result in results):
        for pair in compare(results, rules, baseline=model).pairs:
            verdict = _judge_pair(pair, rules)
            if verdict is not None:
                verdicts.append(verdict)
    return verdicts


def _judge_pair(pair: ComparedPair, rules: ComparisonRules) -> ModelVerdict | None:
    success = pair.success
    if success is None or not (success.is_not_worse_among_all or success.high < 0):
        return None
    interval = f"{success.value * 100:+.1f} points [{success.low * 100:+.1f}, {success.high * 100:+.1f}]"
    return ModelVerdict(
        model=pair.baseline,
        other=pair.arm,
        is_proven=success.is_not_worse_among_all,
        why=(
            f"{interval} of success on {number_of(success.tasks, 'task')} of both "
            f"(accepted loss {rules.margin * 100:g} points)"
        ),
    )
