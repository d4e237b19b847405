"""Runs of a trial -> its verdict, worked out from the record alone."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from modicum.calls.task_result import TaskResult
from modicum.experiments.comparison import ArmComparison, compare
from modicum.experiments.comparison_pairs import ComparedPair, ComparedRatio, ComparisonRules, SuccessDifference
from modicum.experiments.trials.saver_trial import WITH, WITHOUT, SaverTrial, TrialRun, plan_runs

NOUNS = {"cost_usd": "cost", "total_tokens": "tokens", "completion_tokens": "completion tokens", "seconds": "time"}
Judgement = Literal["saves", "costs", "harms", "not_shown", "cannot_say"]


class TrialVerdict(msgspec.Struct, frozen=True, kw_only=True):
    saver: str
    verdict: Judgement
    """`saves`: less was taken and a loss of success beyond the margin is ruled out. `harms`: success fell for certain.
    `not_shown`: one of the two is not beyond chance. `cannot_say`: the record carries no interval."""
    sentence: str
    measure: str
    ratio: float | None
    """With the saver, times without: geometric mean over tasks."""
    low: float | None
    high: float | None
    success_difference: float | None
    success_low: float | None
    success_high: float | None
    margin: float
    tasks: int
    runs: int
    runs_planned: int
    runs_timed_out: int
    tasks_needed: int | None
    """How many tasks would decide what is open, in 80 % of cases."""
    remarks: list[str]
    comparison: ArmComparison | None = None


def judge_trial(trial: SaverTrial, runs: Sequence[TrialRun]) -> TrialVerdict:
    """The verdict that these runs carry. The same record gives the same verdict."""
    arms = {run.arm for run in runs}
    if arms < {WITH, WITHOUT}:
        why = "no run has ended" if not arms else f"there are runs {arms.pop()} the saver only"
        return _verdict(trial, runs, "cannot_say", f"nothing can be said of {trial.saver}: {why}")
    comparison = compare(
        [_result(run) for run in runs], ComparisonRules(margin=trial.margin), names=[WITHOUT, WITH], baseline=WITHOUT
    )
    pair = comparison.pairs[0]
    ratio = pair.ratios[trial.measure]
    judgement, sentence = _judge(trial, pair)
    return _verdict(trial, runs, judgement, sentence, ratio, pair.success, comparison)


def _judge(  # noqa: PLR0911 - one line a verdict
    trial: SaverTrial, pair: ComparedPair
) -> tuple[Judgement, str]:
    ratio, success, noun = pair.ratios[trial.measure], pair.success, NOUNS[trial.measure]
    if pair.tasks == 0:
        return "cannot_say", f"nothing can be said of {trial.saver}: no task ran both with and without it"
    if ratio.value is None or ratio.verdict_low is None or ratio.verdict_high is None or success is None:
        why = ratio.no_interval or "no task was graded in both arms"
        return "cannot_say", f"nothing can be said of the {noun} with {trial.saver}: {why}"
    change = f"{noun} {_change(ratio.value, ratio.verdict_low, ratio.verdict_high)}"
    figures = (
        f"{change}, success {success.value * 100:+.1f} points [{success.low * 100:+.1f}, {success.high * 100:+.1f}], "
        f"{pair.tasks:,} tasks"
    )
    if success.high < 0:
        return "harms", f"{trial.saver} harms outcomes: {figures}"
    if ratio.direction > 0:
        return "costs", f"{trial.saver} costs: {figures}"
    if ratio.direction == 0:
        return "not_shown", f"{trial.saver} is not shown to save or to cost: {figures}"
    if success.is_not_worse:
        return "saves", f"{trial.saver} saves: {figures}"
    return "not_shown", (
        f"{trial.saver} takes less, but its outcomes are not shown to hold: {figures}; a loss of more than "
        f"{trial.margin * 100:g} points is not ruled out"
    )


def _change(value: float, low: float, high: float) -> str:
    """A ratio as a change in percent."""
    return f"{(value - 1) * 100:+.1f} % [{(low - 1) * 100:+.1f}, {(high - 1) * 100:+.1f}]"


def _verdict(
    trial: SaverTrial,
    runs: Sequence[TrialRun],
    judgement: Judgement,
    sentence: str,
    ratio: ComparedRatio | None = None,
    success: SuccessDifference | None = None,
    comparison: ArmComparison | None = None,
) -> TrialVerdict:
    return TrialVerdict(
        saver=trial.saver,
        verdict=judgement,
        sentence=sentence,
        measure=trial.measure,
        ratio=ratio.value if ratio else None,
        low=ratio.verdict_low if ratio else None,
        high=ratio.verdict_high if ratio else None,
        success_difference=success.value if success else None,
        success_low=success.low if success else None,
        success_high=success.high if success else None,
        margin=trial.margin,
        tasks=comparison.pairs[0].tasks if comparison else 0,
        runs=len(runs),
        runs_planned=len(plan_runs(trial)),
        runs_timed_out=sum(run.status == "timed_out" for run in runs),
        tasks_needed=_tasks_needed(ratio, success),
        remarks=[*_describe_runs(trial, runs), *(comparison.remarks if comparison else [])],
        comparison=comparison,
    )


def _tasks_needed(ratio: ComparedRatio | None, success: SuccessDifference | None) -> int | None:
    """The larger of what each open question needs; None where nothing is open, or nobody knows."""
    needed = []
    if ratio is not None and ratio.direction == 0 and ratio.tasks_needed:
        needed.append(ratio.tasks_needed)
    if success is not None and not success.is_not_worse and success.tasks_needed:
        needed.append(success.tasks_needed)
    return max(needed, default=None)


def _describe_runs(trial: SaverTrial, runs: Sequence[TrialRun]) -> list[str]:
    remarks = []
    planned = len(plan_runs(trial))
    if len(runs) < planned:
        remarks.append(
            f"{len(runs):,} of {planned:,} planned runs are in it: a verdict before the end may be one that was waited "
            "for; run the command again to go on."
        )
    for arm in (WITHOUT, WITH):
        ended = sum(run.status == "timed_out" for run in runs if run.arm == arm)
        if ended:
            remarks.append(f"{ended:,} runs {arm} the saver took longer than {trial.timeout_s:g} s, and failed.")
        unknown = sum(run.total_tokens is None for run in runs if run.arm == arm)
        if unknown:
            remarks.append(f"of {unknown:,} runs {arm} the saver nobody knows what they took: their logs had no calls.")
    models = {arm: {use.model for run in runs if run.arm == arm for use in run.models} for arm in (WITHOUT, WITH)}
    if models[WITH] and models[WITHOUT] and models[WITH] != models[WITHOUT]:
        remarks.append(
            f"The arms used different models: without {', '.join(sorted(models[WITHOUT]))}; with "
            f"{', '.join(sorted(models[WITH]))}. The verdict is about both together."
        )
    return remarks


def _result(run: TrialRun) -> TaskResult:
    return TaskResult(
        arm=run.arm,
        task=run.task,
        run_id=run.run_id,
        outcome=run.outcome,
        prompt_tokens=run.prompt_tokens,
        completion_tokens=run.completion_tokens,
        total_tokens=run.total_tokens,
        cost_usd=run.cost_usd,
        seconds=run.seconds,
        group=run.group,
        place=run.run_id,
    )
