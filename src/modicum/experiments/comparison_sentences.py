"""What may be concluded, in sentences; and what may not, with the reason."""

from collections.abc import Mapping, Sequence

from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.experiments.comparison_arms import TaskRuns
from modicum.experiments.comparison_pairs import ComparedPair, ComparedRatio, ComparisonRules, SuccessDifference

NOUNS = {
    "cost_usd": "cost",
    "total_tokens": "tokens",
    "completion_tokens": "completion tokens",
    "seconds": "time",
    "joules": "energy",
}
_LESS = {
    "cost_usd": "costs {} less",
    "total_tokens": "takes {} fewer tokens",
    "completion_tokens": "takes {} fewer completion tokens",
    "seconds": "takes {} less time",
    "joules": "takes {} less energy",
}
_MORE = {
    "cost_usd": "costs {} more",
    "total_tokens": "takes {} more tokens",
    "completion_tokens": "takes {} more completion tokens",
    "seconds": "takes {} more time",
    "joules": "takes {} more energy",
}
_WITH_LESS = {
    "cost_usd": "at {} lower cost",
    "total_tokens": "with {} fewer tokens",
    "completion_tokens": "with {} fewer completion tokens",
    "seconds": "in {} less time",
    "joules": "with {} less energy",
}
MOST_TASKS_NEEDED = 100_000
"""More than so many tasks is no advice: the difference, if there is one, is nothing."""


def describe_pair(pair: ComparedPair, rules: ComparisonRules) -> list[str]:
    """The verdicts on one arm beside the baseline."""
    if pair.tasks == 0:
        sentence = (
            f"{pair.arm} and {pair.baseline} have no task in common: they cannot be compared, since any difference may "
            "be that of their tasks. Tasks are matched by name; --column task=NAME or --pair names what to match by."
        )
        return [sentence]
    level = percent(rules.confidence, 0)
    sentences = [_describe_success(pair, pair.success, rules, level)]
    decided = [measure for measure in NOUNS if pair.ratios[measure].direction]
    sentences += [_describe_decided(pair, measure, pair.ratios[measure], level) for measure in decided]
    undecided = [measure for measure in NOUNS if measure not in decided and pair.ratios[measure].value is not None]
    if undecided:
        each = "; ".join(_describe_undecided(measure, pair.ratios[measure], level) for measure in undecided)
        sentences.append(f"{pair.arm}: not shown to differ in {each}.")
    sentences += _describe_per_success(pair, level)
    return sentences + _describe_unknown(pair)


def _describe_success(pair: ComparedPair, success: SuccessDifference | None, rules: ComparisonRules, level: str) -> str:
    if success is None:
        return (
            f"{pair.arm}: no task has an outcome under both arms, so nothing can be said about success; what follows "
            "is what they took, whatever came of it."
        )
    between = f"{points(success.low)} to {points(success.high)} points, {level}, {number_of(success.tasks, 'task')}"
    if success.all_equal:
        start = (
            f"{pair.arm}: all outcomes are equal, so success cannot tell the arms apart "
            f"({number_of(success.tasks, 'task')})"
        )
    elif success.low > 0:
        return f"{pair.arm} succeeds more often than {pair.baseline}: {points(success.value)} points ({between})."
    elif success.high < 0:
        return f"{pair.arm} succeeds less often than {pair.baseline}: {points(success.value)} points ({between})."
    else:
        start = f"{pair.arm}: no difference in success is shown, {points(success.value)} points ({between})"
    if success.is_not_worse:
        return f"{start}; a loss of more than {rules.margin * 100:g} points is ruled out."
    needed = (
        ""
        if success.tasks_needed is None
        else f"; if there is none, about {number_of(success.tasks_needed, 'task shows', 'tasks show')} it"
    )
    return f"{start}; a loss of up to {-success.low * 100:.1f} points is not ruled out{needed}."


def _describe_decided(pair: ComparedPair, measure: str, ratio: ComparedRatio, level: str) -> str:
    assert ratio.value is not None  # noqa: S101 - a direction rests on a value
    interval = f"x{ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f}, {level}, {number_of(ratio.tasks, 'task')})"
    change = percent(abs(1 - ratio.value))
    together = (
        ""
        if ratio.direction_among_all
        else f" Judged together with the other {number_of(pair.comparisons - 1, 'arm')} this is not shown: one of many "
        "looks so by chance."
    )
    if ratio.direction > 0:
        return f"{pair.arm} {_MORE[measure].format(change)} than {pair.baseline}: {interval}.{together}"
    success = pair.success
    if success is not None and success.is_not_worse and success.high >= 0:
        if ratio.direction_among_all and not success.is_not_worse_among_all:
            together = (
                f" Judged together with the other {number_of(pair.comparisons - 1, 'arm')}, equal outcomes are not "
                "shown."
            )
        saving = _WITH_LESS[measure].format(change)
        if success.low > 0:
            return f"{pair.arm} succeeds more often than {pair.baseline} {saving}: {interval}.{together}"
        return f"{pair.arm} reaches the same outcomes as {pair.baseline} {saving}: {interval}.{together}"
    same = (
        "and succeeds less often"
        if success is not None and success.high < 0
        else "but that it reaches the same outcomes is not shown"
    )
    return f"{pair.arm} {_LESS[measure].format(change)} than {pair.baseline}, {same}: {interval}.{together}"


def _describe_undecided(measure: str, ratio: ComparedRatio, level: str) -> str:
    start = f"{NOUNS[measure]} x{ratio.value:.3f}"
    if ratio.no_interval or ratio.low is None or ratio.high is None:
        return f"{start} ({ratio.no_interval})"
    interval = f"{ratio.low:.3f} to {ratio.high:.3f}, {level}"
    if ratio.is_lower_bound or ratio.is_upper_bound:
        whose = " and ".join(["the arm's"] * ratio.is_lower_bound + ["the baseline's"] * ratio.is_upper_bound)
        return f"{start} ({interval}, but {whose} source leaves tokens out, so this proves nothing)"
    if ratio.of_sums is not None and not ratio.low <= 1 <= ratio.high:
        return f"{start} ({interval}, but the sum over all tasks says x{ratio.of_sums:.3f}, the other way)"
    if ratio.tasks_needed is None or ratio.tasks_needed > MOST_TASKS_NEEDED:
        return f"{start} ({interval})"
    return f"{start} ({interval}; if real, about {number_of(ratio.tasks_needed, 'task shows', 'tasks show')} it)"


def _describe_per_success(pair: ComparedPair, level: str) -> list[str]:
    """Where success differs, what a success costs is the figure that counts."""
    ratio, success = pair.cost_per_success_ratio, pair.success
    if ratio is None or success is None or success.discordant_share == 0 or ratio.value is None:
        return []
    if ratio.low is None:
        return [f"{pair.arm}: a success costs x{ratio.value:.3f} of {pair.baseline}'s ({ratio.no_interval})."]
    shown = "" if ratio.direction else ", so no difference is shown"
    interval = f"{ratio.low:.3f} to {ratio.high:.3f}, {level}"
    return [f"{pair.arm}: a success costs x{ratio.value:.3f} of {pair.baseline}'s ({interval}){shown}."]


def _describe_unknown(pair: ComparedPair) -> list[str]:
    reasons = [
        f"{NOUNS[measure]} ({pair.ratios[measure].no_interval})"
        for measure in ("cost_usd", "total_tokens")
        if pair.ratios[measure].value is None
    ]
    return [f"{pair.arm}: nothing can be said about {', '.join(reasons)}."] if reasons else []


def describe_whole(
    tasks: Mapping[str, Mapping[str, TaskRuns]], pairs: Sequence[ComparedPair], has_line: bool
) -> list[str]:
    """What one must know to read the whole."""
    remarks = []
    for name, of_arm in tasks.items():
        without = sum(runs.runs - runs.graded for runs in of_arm.values())
        if without:
            runs = sum(runs.runs for runs in of_arm.values())
            remarks.append(
                f"{name}: {without:,} of {runs:,} runs have no outcome; they are in no success rate and in no figure "
                "per success."
            )
        remarks += _describe_uncounted(name, list(of_arm.values()))
    if len(tasks) == 1:
        remarks.append(
            "There is one arm only, and nothing to compare it with: name another file, or with --by the column that "
            "divides the runs."
        )
        return remarks
    if len({frozenset(of_arm) for of_arm in tasks.values()}) > 1:
        remarks.append(
            "The arms ran different tasks: figures of one arm alone are over its own tasks, and only the pairs, over "
            "tasks that both ran, compare like with like."
        )
    if any(pair.most_runs > 1 for pair in pairs):
        remarks.append("Runs of one task count as one observation: intervals are over tasks, not over runs.")
    remarks += [f"Take intervals with care: {each}." for each in _list_cautions(pairs)]
    if len(pairs) > 1:
        remarks.append(
            f"{number_of(len(pairs), 'arm stands', 'arms stand')} beside one baseline; each interval holds for itself, "
            "and verdicts say where they do not hold for all together (Bonferroni)."
        )
    if not has_line:
        remarks.append("No line of best trade-offs: the arms share no task whose outcome and cost are all known.")
    return remarks


def _list_cautions(pairs: Sequence[ComparedPair]) -> list[str]:
    """What the figures themselves give reason to doubt, each once."""
    found: dict[str, list[str]] = {}
    for pair in pairs:
        shown = [
            pair.success,
            pair.cost_per_success_ratio,
            *(pair.ratios[name] for name in ("cost_usd", "total_tokens")),
        ]
        for caution in {one.caution for one in shown if one is not None and one.caution}:
            found.setdefault(caution, []).append(pair.arm)
    return [f"{', '.join(arms)}: {caution}" for caution, arms in sorted(found.items())]


def _describe_uncounted(name: str, tasks: Sequence[TaskRuns]) -> list[str]:
    """Runs that say less than others of their arm: what is left out of a sum must be named."""
    graded = sum(runs.runs for runs in tasks)
    lacks = [
        f"{NOUNS[measure]} of {graded - counted:,}"
        for measure in NOUNS
        if 0 < (counted := sum(runs.counts.get(measure, 0) for runs in tasks)) < graded
    ]
    return (
        [(f"{name}: of {number_of(graded, 'run')}, what they took is not known for all: {', '.join(lacks)}.")]
        if lacks
        else []
    )


def points(share: float) -> str:
    """A difference of shares in points, with its sign."""
    return f"{share * 100:+.1f}"
