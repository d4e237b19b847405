"""Does the promise of `propose` hold on fresh data? Many halves of recorded subjects, and a simulated team.

A plan is learned on one half and replayed on the other, under several rules for choosing among the plans that are shown
to be safe: the greediest, and those that give up part of the saving for room.
"""

from dataclasses import replace

import numpy as np

from agents.simulator import SimulatedTeam, panel
from modicum.agents.attribution import attribute
from modicum.agents.proposal import NEARLY_AS_MUCH, STEPS, choose_safest, make_shortlist
from modicum.agents.replay import replay
from modicum.statistics.paired import paired_difference, passed_in_sequence

KEPT = (1.0, 0.9, 0.8, NEARLY_AS_MUCH, 2 / 3, 0.5)
"""Share of the largest safe saving that is kept: 1 takes the greediest plan, as before there was a choice."""


def half_splits(team, margin, splits, say, *, resampled):
    """Both directions of many half splits of the groups.

    Args:
        team: a recording with groups.
        margin: the acceptable loss.
        splits: how many.
        say: prints.
        resampled: draw the groups anew, with replacement, before each split: as if others had been recorded.
    """
    kind = "groups drawn anew" if resampled else "half splits"
    say(f"\n  {splits} {kind}, both ways, margin {100 * margin:.0f} points; a plan that is not found saves nothing")
    replays = {}
    folds = {kept: [] for kept in KEPT}
    delivered = {"one_test": [], "in_sequence": []}
    for seed in range(splits):
        rng = np.random.default_rng(seed)
        first, second = _halves(team, rng, resampled=resampled)
        for learn, check in ((first, second), (second, first)):
            found = make_shortlist(learn, attribute(learn), max_loss=margin)
            for kept in KEPT:
                plan = choose_safest(found.safe, found.confidence, kept).plan if found.safe else None
                folds[kept].append((seed, _outcome(plan, check, team, replays)))
            steps = [choose_safest(found.safe, found.confidence, kept).plan for kept in STEPS] if found.safe else []
            outcomes = [_outcome(plan, check, team, replays) for plan in steps]
            delivered["one_test"].append(_delivered(outcomes[-1:], margin))
            delivered["in_sequence"].append(_delivered(outcomes, margin))
    summary = {f"{kept:.2f}": _summary(rows, margin, f"{kept:.2f}", say) for kept, rows in folds.items()}
    for how, saved in delivered.items():
        summary[f"delivered_{how}_share"] = float(np.mean([one is not None for one in saved]))
        summary[f"delivered_{how}_calls_saved_share"] = float(np.mean([one or 0.0 for one in saved]))
        say(
            f"    checked on the other half, {how.replace('_', ' ')}: a plan in "
            f"{summary[f'delivered_{how}_share']:.3f} of halves, calls saved over all halves "
            f"{100 * summary[f'delivered_{how}_calls_saved_share']:.1f} %"
        )
    return summary


def _delivered(outcomes, margin):
    """Share of calls that the plan saves that passes last, tested in this order; None where none passes."""
    changes = [paired_difference(np.zeros(len(one[0])), one[0], clusters=one[3]) for one in outcomes]
    passed = passed_in_sequence(changes, margin)
    return 1 - float(outcomes[passed - 1][2].sum() / outcomes[passed - 1][1].sum()) if passed else None


def _halves(team, rng, *, resampled):
    by_group = {}
    for run in team.runs:
        by_group.setdefault(run.group, []).append(run)
    names = sorted(by_group)
    drawn = [str(name) for name in (rng.choice(names, len(names)) if resampled else names)]
    first, filled = set(), 0
    for name in rng.permutation(sorted(set(drawn))):
        if filled < len(names) // 2:
            first.add(str(name))
            filled += drawn.count(str(name))
    runs = [
        replace(run, run=f"{run.run} {copy}", task=f"{run.task} {copy}", group=f"{name} {copy}")
        for copy, name in enumerate(drawn)
        for run in by_group[name]
    ]
    inside = [run.group.rsplit(" ", 1)[0] in first for run in runs]
    return (
        team.part(run for run, yes in zip(runs, inside, strict=True) if yes),
        team.part(run for run, yes in zip(runs, inside, strict=True) if not yes),
    )


def _outcome(plan, check, team, replays):
    """(change per run, calls of the full team, calls of the plan, groups) on the half that taught nothing."""
    groups = [run.group for run in check.graded]
    calls = np.array([sum(turn.calls_count for turn in run.turns) for run in check.graded], dtype=float)
    if plan is None:
        return np.zeros(len(calls)), calls, calls, groups
    key = (plan.drop, plan.early_exit, plan.stop_after_round)
    if key not in replays:
        whole = replay(plan, team)
        changes = whole.score_plan - whole.score_full
        replays[key] = {
            run.run: (change, after) for run, change, after in zip(team.graded, changes, whole.calls_plan, strict=True)
        }
    known = [replays[key].get(run.run) or replays[key][run.run.rsplit(" ", 1)[0]] for run in check.graded]
    return np.array([change for change, _ in known]), calls, np.array([after for _, after in known]), groups


def _summary(rows, margin, name, say):
    halves = [paired_difference(np.zeros(len(one[0])), one[0], clusters=one[3]) for _, one in rows]
    pooled, saved = [], []
    for seed in sorted({seed for seed, _ in rows}):
        both = [one for at, one in rows if at == seed]
        change = np.concatenate([one[0] for one in both])
        groups = [group for one in both for group in one[3]]
        pooled.append(paired_difference(np.zeros(len(change)), change, clusters=groups).low)
        saved.append(1 - sum(one[2].sum() for one in both) / sum(one[1].sum() for one in both))
    found = {
        "half_change_within_share": float(np.mean([one.mean >= -margin for one in halves])),
        "half_low_within_share": float(np.mean([one.low >= -margin for one in halves])),
        "pooled_low_within_share": float(np.mean(np.array(pooled) >= -margin)),
        "pooled_low_worst": float(min(pooled)),
        "calls_saved_share": float(np.mean(saved)),
        "saves_40_percent_share": float(np.mean(np.array(saved) >= 0.4)),
        "no_plan_share": float(np.mean([not (one[1] - one[2]).any() for _, one in rows])),
    }
    say(
        f"    keep {name} of the saving: change within {found['half_change_within_share']:.3f}, low end within "
        f"{found['half_low_within_share']:.3f}, pooled {found['pooled_low_within_share']:.3f} (worst "
        f"{100 * found['pooled_low_worst']:+.2f}), saves {100 * found['calls_saved_share']:.1f} %, at least 40 % in "
        f"{found['saves_40_percent_share']:.2f}"
    )
    return found


def simulated_promise(seeds, say, *, runs=600, margin=0.03):
    """A simulated panel of seven: the truth of each proposed plan is known from 4,000 other tasks."""
    say(f"\n  A simulated panel of seven, {runs} recorded runs, margin {100 * margin:.0f} points, {seeds} seeds")
    team = SimulatedTeam(panel())
    fresh, check = team.record(team.tasks(4000, 1)), team.record(team.tasks(runs, 2))
    rows = {kept: [] for kept in KEPT}
    for seed in range(seeds):
        learn = team.record(team.tasks(runs, 100 + seed))
        found = make_shortlist(learn, attribute(learn), max_loss=margin)
        for kept in KEPT:
            if found.safe:
                plan = choose_safest(found.safe, found.confidence, kept).plan
                whole = replay(plan, fresh)
                rows[kept].append((whole.change().mean, replay(plan, check).change().low, whole.calls_saved_share))
            else:
                rows[kept].append((0.0, 0.0, 0.0))
    found = {}
    for kept, values in rows.items():
        change, low, saved = np.array(values).T
        found[f"{kept:.2f}"] = {
            "true_change_within_share": float(np.mean(change >= -margin)),
            "low_within_share": float(np.mean(low >= -margin)),
            "true_change": float(change.mean()),
            "calls_saved_share": float(saved.mean()),
        }
        say(
            f"    keep {kept:.2f} of the saving: true change {100 * change.mean():+.2f} points, within "
            f"{np.mean(change >= -margin):.3f}, low end on {runs} others within {np.mean(low >= -margin):.3f}, "
            f"saves {100 * saved.mean():.1f} %"
        )
    return found
