"""Runs of a trial -> its verdict, worked out from the record alone."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from modicum.calls.task_result import TaskResult
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.experiments.comparison import ArmComparison, compare
from modicum.experiments.comparison_pairs import ComparedPair, ComparedRatio, ComparisonRules, SuccessDifference
from modicum.experiments.trials.saver_trial import ARMS, WITH, WITHOUT, SaverTrial, TrialRun, plan_runs, run_id_of

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
    usable = _drop_contradictions(runs)
    arms = {run.arm for run in usable}
    if arms < {WITH, WITHOUT}:
        why = "no run has ended" if not arms else f"there are runs {arms.pop()} the saver only"
        if len(usable) < len(runs):
            why += ", but for runs that contradict each other"
        return _verdict(trial, runs, "cannot_say", f"nothing can be said of {trial.saver}: {why}")
    absent = _find_absent(trial, usable)
    results = [_result(run, is_graded=run.run_id not in absent) for run in usable]
    comparison = compare(results, ComparisonRules(margin=trial.margin), names=[WITHOUT, WITH], baseline=WITHOUT)
    pair = comparison.pairs[0]
    judgement, sentence = _judge(trial, pair)
    if judgement == "cannot_say":  # what cannot be said has no figures; all that is known stands in the comparison
        return _verdict(trial, runs, judgement, sentence, comparison=comparison)
    return _verdict(trial, runs, judgement, sentence, pair.ratios[trial.measure], pair.success, comparison)


def _drop_contradictions(runs: Sequence[TrialRun]) -> list[TrialRun]:
    """Without runs that stand more than once with different outcomes or figures: records that were put together."""
    rows: dict[str, list[TrialRun]] = {}
    for run in runs:
        rows.setdefault(run.run_id, []).append(run)
    return [same[0] for same in rows.values() if all(one == same[0] for one in same)]


def _find_absent(trial: SaverTrial, runs: Sequence[TrialRun]) -> set[str]:
    """Runs of pairs that failed under both arms without one metered call: the model, or the agent, was not there, and
    that says nothing of the saver.
    """
    by_id = {run.run_id: run for run in runs}
    pairs: dict[tuple[str, int], list[TrialRun]] = {}
    for step in plan_runs(trial):
        if (run := by_id.get(run_id_of(trial, step))) is not None:
            pairs.setdefault((step.task.task, step.repeat), []).append(run)
    return {
        run.run_id
        for pair in pairs.values()
        if len(pair) == len(ARMS) and all(run.outcome == 0 and run.total_tokens is None for run in pair)
        for run in pair
    }


def _judge(  # noqa: PLR0911 - one line a verdict
    trial: SaverTrial, pair: ComparedPair
) -> tuple[Judgement, str]:
    ratio, success, noun = pair.ratios[trial.measure], pair.success, NOUNS[trial.measure]
    if pair.tasks == 0:
        return "cannot_say", f"nothing can be said of {trial.saver}: no task ran both with and without it"
    if ratio.value is None or ratio.low is None or ratio.high is None or success is None:
        why = ratio.no_interval or "no task was graded in both arms"
        return "cannot_say", f"nothing can be said of the {noun} with {trial.saver}: {why}"
    change = f"{noun} {_change(ratio.value, ratio.low, ratio.high)}"
    figures = (
        f"{change}, success {success.value * 100:+.1f} points [{success.low * 100:+.1f}, {success.high * 100:+.1f}], "
        f"{number_of(pair.tasks, 'task')}"
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
    return f"{percent(value - 1, sign='+')} [{(low - 1) * 100:+.1f}, {(high - 1) * 100:+.1f}]"


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
        low=ratio.low if ratio else None,
        high=ratio.high if ratio else None,
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
    usable = _drop_contradictions(runs)
    if contradicting := len({run.run_id for run in runs}) - len(usable):
        remarks.append(
            f"{number_of(contradicting, 'run stands', 'runs stand')} more than once with different outcomes or "
            "figures, so they contradict each other: nobody can say which is true, and they are left out."
        )
    if absent := len(_find_absent(trial, usable)):
        remarks.append(
            f"{number_of(absent, 'run')} failed under both arms without one metered call: the model or the agent was "
            "not there. They say nothing of the saver, and count as not graded."
        )
    if len(runs) < planned:
        remarks.append(
            f"{len(runs):,} of {planned:,} planned runs are in it: a verdict before the end may be one that was waited "
            "for; run the command again to go on."
        )
    for arm in (WITHOUT, WITH):
        ended = sum(run.status == "timed_out" for run in runs if run.arm == arm)
        if ended:
            remarks.append(
                f"{number_of(ended, 'run')} {arm} the saver took longer than {trial.timeout_s:g} s, and failed."
            )
        unknown = sum(run.total_tokens is None for run in runs if run.arm == arm)
        if unknown:
            remarks.append(
                f"of {number_of(unknown, 'run')} {arm} the saver nobody knows what they took: their logs had no calls."
            )
    models = {arm: {use.model for run in runs if run.arm == arm for use in run.models} for arm in (WITHOUT, WITH)}
    if models[WITH] and models[WITHOUT] and models[WITH] != models[WITHOUT]:
        remarks.append(
            f"The arms used different models: without {', '.join(sorted(models[WITHOUT]))}; with "
            f"{', '.join(sorted(models[WITH]))}. The verdict is about both together."
        )
    clients = {client for run in runs for use in run.models for client in use.clients}
    if len(clients) > 1:
        remarks.append(
            f"The runs were made with several versions of the program that calls: {', '.join(sorted(clients))}. What "
            "changed between them is in the figures."
        )
    return remarks


def _result(run: TrialRun, *, is_graded: bool) -> TaskResult:
    return TaskResult(
        arm=run.arm,
        task=run.task,
        run_id=run.run_id,
        outcome=run.outcome if is_graded else None,
        prompt_tokens=run.prompt_tokens,
        completion_tokens=run.completion_tokens,
        total_tokens=run.total_tokens,
        cost_usd=run.cost_usd,
        seconds=run.seconds,
        started_at=run.started_at,
        group=run.group,
        place=run.run_id,
    )
