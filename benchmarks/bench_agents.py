"""Teams of agents: planted agents in a simulator, DyLAN's recorded MMLU teams, AgentDropout's tokens."""

import argparse
import json
import sys
import time
from pathlib import Path

import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from agents.simulator import (
    SimulatedTeam,
    duplicate,
    equal,
    noisy,
    persuasive,
    planted,
    useless,
    with_specialist,
)
from agents_assumptions import PLAIN, assumptions, edge_pick, node_pick, released_figures, share
from agents_splits import half_splits, simulated_promise
from dylan_records import SIZES, load, rows_of, subjects, unpacked
from modicum.agents.attribution import attribute
from modicum.agents.early_exit import compute_exit_curve
from modicum.agents.learners import AgentDropout, AgentDropoutReleased, AgentPrune, RandomDrop
from modicum.agents.learners.agentdropout_released import full_edges, plan_with
from modicum.agents.learners.edges import EdgeRun
from modicum.agents.plan_rules import Decision, Drop, EarlyExit
from modicum.agents.proposal import (
    is_harmful,
    list_candidates,
    make_blank_plan,
    propose,
    propose_and_check,
    rank_agents,
    split_in_halves,
)
from modicum.agents.recordings import build_team
from modicum.agents.replay import replay
from modicum.agents.team_plan import make_plan
from modicum.agents.trials import Trials
from modicum.agents.verification import shuffle_plan
from modicum.statistics.paired import paired_difference

MARGIN = 0.03
"""The loss that counts as too much on DyLAN: three points."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with dylan-mmlu.tar.gz")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seeds", type=int, default=200, help="of the simulator")
    options = parser.parse_args()
    began = time.perf_counter()
    say = (lambda *_: None) if options.json else print
    found = {"planted": pick_the_planted(options.seeds, say), "equal": claims_about_equals(options.seeds, say)}
    found["assumptions"] = assumptions(options.seeds, say)
    found["released"] = released_figures(options.seeds, say)
    found["scenarios"] = other_scenarios(max(20, options.seeds // 4), say)
    found["promise"] = simulated_promise(12, say)
    found["fidelity"] = agentdropout_tokens(max(5, options.seeds // 20), say)
    if options.data:
        with unpacked(options.data) as folder:
            found["dylan"] = dylan(folder, say)
    else:
        print("without --data DIR the recorded teams of DyLAN are left out", file=sys.stderr)
    found["seconds"] = round(time.perf_counter() - began, 1)
    if options.json:
        print(json.dumps(found, indent=2))
    return 0


def pick_the_planted(seeds, say):
    """How often each method picks the planted agent out of five (chance: 0.20)."""
    say("One planted agent among five: how often each method picks it (chance 0.20)")
    bad, loud = SimulatedTeam(planted()), SimulatedTeam(persuasive())
    found = {"seeds": seeds, "chance": 0.2}
    truth = bad.truth(bad.tasks(4000, 1))
    found |= {"score_full": truth[""], "score_without_bad": truth["bad"]}
    for runs in (40, 200):
        few = seeds if runs == 40 else max(20, seeds // 4)
        reports = [attribute(bad.record(bad.tasks(runs, 1000 + seed))) for seed in range(few)]
        found[f"own_correctness_{runs}"] = share(rank_agents(one, "own")[0] == "bad" for one in reports)
        found[f"leave_one_out_{runs}"] = share(rank_agents(one, "without")[0] == "bad" for one in reports)
        for name, settings in (("paper", {}), ("paper_with_baseline", {"baseline": True})):
            found[f"{name}_{runs}"] = share(node_pick(bad, runs, seed, **settings) == "bad" for seed in range(few))
        for name, settings in (("paper_edges", {}), ("reinforce_edges", PLAIN)):
            found[f"persuasive_{name}_{runs}"] = share(
                edge_pick(loud, runs, seed, **settings) == "loud" for seed in range(min(few, 50))
            )
        loud_reports = [attribute(loud.record(loud.tasks(runs, 1000 + seed))) for seed in range(few)]
        found[f"persuasive_own_correctness_{runs}"] = share(
            rank_agents(one, "own")[0] == "loud" for one in loud_reports
        )
    lots = [RandomDrop(seed=seed).learn(bad.graph).plan.drop[0].agent for seed in range(seeds)]
    found["random"] = share(agent == "bad" for agent in lots)
    for key, value in found.items():
        say(f"  {key:36s} {value:.3f}")
    return found


def claims_about_equals(seeds, say):
    """With five equal agents nobody may be called harmful."""
    team = SimulatedTeam(equal())
    claims = []
    for seed in range(seeds):
        report = attribute(team.record(team.tasks(40, 9000 + seed)))
        claims.append(any(is_harmful(name, report) for name in report.agents))
    found = {"seeds": seeds, "claims_of_harm_share": share(claims)}
    say(f"Five equal agents, 40 runs: some agent is called harmful in {100 * share(claims):.1f} % of the seeds")
    return found


def other_scenarios(seeds, say):
    """What each way of ranking drops, and what that truly costs; and what `propose_and_check` does by itself."""
    say("\nDropping one agent on the word of 100 recorded runs: true change in points (mean over seeds)")
    found = {}
    for scenario in (planted(), noisy(), equal(), duplicate(), with_specialist(), persuasive(), useless()):
        team = SimulatedTeam(scenario)
        truth = team.truth(team.tasks(3000, 1))
        rows = {"own": [], "without": [], "random": [], "proposed": [], "proposed_saves": []}
        fresh = team.tasks(400, 77)
        for seed in range(seeds):
            recorded = team.record(team.tasks(100, 3000 + seed))
            report = attribute(recorded)
            for by in ("own", "without"):
                rows[by].append(truth[rank_agents(report, by)[0]] - truth[""])
            lot = RandomDrop(seed=seed).learn(team.graph).plan.drop[0].agent
            rows["random"].append(truth[lot] - truth[""])
            if seed < 10:
                plan = msgspec.structs.replace(propose_and_check(recorded, max_loss=0.05), canary_share=0)
                replayed = replay(plan, team.record(fresh))
                rows["proposed"].append(replayed.change().mean)
                rows["proposed_saves"].append(replayed.tokens_saved_share or 0.0)
        best = max(truth, key=truth.get)
        found[scenario.name] = {name: float(np.mean(values)) for name, values in rows.items()}
        found[scenario.name] |= {
            "score_full": truth[""],
            "best_drop": best or "nobody",
            "best": truth[best] - truth[""],
        }
        line = "  ".join(f"{name} {100 * np.mean(rows[name]):+.1f}" for name in ("own", "without", "random"))
        best_change = 100 * found[scenario.name]["best"]
        say(
            f"  {scenario.name:32s} full {truth['']:.3f}  {line}  best {best_change:+.1f}"
            f"  | proposed {100 * np.mean(rows['proposed']):+.1f}, saves {100 * np.mean(rows['proposed_saves']):.0f} %"
        )
    return found


def agentdropout_tokens(seeds, say):
    """The paper's learner with the paper's settings, its tokens beside the others': the fidelity table."""
    say("\nAgentDropout in the simulator (five agents, two rounds), tokens per task beside the full team's")
    team = SimulatedTeam(equal())
    fresh = team.tasks(300, 11)
    full = team.mean(make_plan(team.graph), fresh)
    as_released = team.mean(plan_with(team.graph, [], *full_edges(team.graph)), fresh)
    arms = {"full team": [full], "full team of the released code": [as_released]}
    spent = {"AgentDropout": [], "AgentDropout as released": [], "AgentPrune": []}
    for seed in range(seeds):
        for name, learner in (
            ("AgentDropout", AgentDropout(seed=seed)),
            ("AgentDropout as released", AgentDropoutReleased(seed=seed)),
            ("AgentPrune", AgentPrune(seed=seed)),
        ):
            trials = Trials(team.graph, team.tasks(80, 6000 + seed), team.run, team.score)
            learned = learner.learn(team.graph, trials=trials)
            spent[name].append(trials.tokens_spent)
            arms.setdefault(f"{name}, masks", []).append(team.mean(forced(learned.plan), fresh))
            arms.setdefault(f"{name}, sampled", []).append(sampled(team, learned, fresh, seed))
            if name == "AgentDropout":
                arms.setdefault("same shape by lot, sampled", []).append(
                    sampled(team, msgspec.structs.replace(learned, plan=shuffle_plan(learned.plan, seed)), fresh, seed)
                )
        lot = RandomDrop(seed=seed, per_round=True).learn(team.graph).plan
        arms.setdefault("one agent a round by lot, all edges", []).append(team.mean(forced(lot), fresh))
    alone = make_plan(team.graph, tuple(Drop(agent=name) for name in team.graph.agents[1:]))
    arms["one agent"] = [team.mean(msgspec.structs.replace(alone, stop_after_round=1), fresh)]
    means = {name: np.mean(rows, axis=0) for name, rows in arms.items()}
    found = {}
    for name, (score, prompt, completion) in means.items():
        found[name] = {
            "score": float(score),
            "prompt_change": float(prompt / full[1] - 1),
            "completion_change": float(completion / full[2] - 1),
        }
        say(
            f"  {name:38s} score {score:.3f}  prompt {100 * (prompt / full[1] - 1):+6.1f} %"
            f"  completion {100 * (completion / full[2] - 1):+6.1f} %"
        )
    for mode in ("AgentDropout", "AgentDropout as released"):
        dropout = means[f"{mode}, sampled"]
        for base, other, published in (
            ("AgentPrune", means["AgentPrune, sampled"], (-0.216, -0.184)),
            ("the released code's full team", means["full team of the released code"], (-0.330, -0.167)),
        ):
            against = {
                "prompt_change": float(dropout[1] / other[1] - 1),
                "completion_change": float(dropout[2] / other[2] - 1),
                "published_prompt_change": published[0],
                "published_completion_change": published[1],
            }
            found[f"{mode} against {base}"] = against
            say(
                f"  {mode} against {base}: prompt {100 * against['prompt_change']:+.1f} %, completion "
                f"{100 * against['completion_change']:+.1f} % (published {100 * published[0]:+.1f} %, "
                f"{100 * published[1]:+.1f} %)"
            )
    found["learning_tokens"] = {name: float(np.mean(values)) for name, values in spent.items()}
    return found


def forced(plan):
    return msgspec.structs.replace(plan, canary_share=0)


def sampled(team, learned, tasks, seed):
    """As published: for every task a graph is drawn from the edges that are left, at the learned probabilities."""
    rng = np.random.default_rng(seed)
    state = EdgeRun.start(team.graph, list(learned.plan.drop))
    state.spatial_mask, state.temporal_mask = learned.plan.edge_masks(team.graph)
    for name in ("spatial", "temporal"):
        p = np.clip(np.array(getattr(learned, name)), 1e-9, 1 - 1e-9)
        setattr(state, name, np.where(p > 1e-8, np.log(p / (1 - p)), 0.0))
    runs = [team.run(task, state.sample(rng)[0].guard()) for task in tasks]
    return (
        float(np.mean([one.answer == "right" for one in runs])),
        float(np.mean([one.prompt_tokens for one in runs])),
        float(np.mean([one.completion_tokens for one in runs])),
    )


def dylan(folder, say):
    """Recorded teams of seven, reduced: learned on one half of the subjects, checked on the other, both ways."""
    rows, small, lost = [], {size: [] for size in SIZES[1:]}, 0
    for subject in subjects(folder):
        teams, gold = load(folder, subject)
        for index, question in enumerate(teams[7]):
            if question is None:
                lost += 1
                continue
            rows += [(len(rows), row) for row in rows_of(subject, index, question, gold[index])]
            for size, pairs in small.items():
                other = teams[size][index]
                pairs.append((question.right, other.right, question.calls_count, other.calls_count, subject))
    team, problems = build_team(rows, path="dylan")
    parts = split_in_halves(team)
    unknown = sum(run.gold is None for run in team.runs)
    found = {
        "questions": len(team.runs),
        "questions_not_aligned": lost,
        "problems": len(problems),
        "gold_inferred_share": 1 - unknown / len(team.runs),
        "accuracy_full": float(np.mean([run.outcome for run in team.runs])),
        "calls_full": sum(turn.calls_count for run in team.runs for turn in run.turns) / len(team.runs),
    }
    say(
        f"\nDyLAN, {found['questions']} MMLU questions by seven agents ({lost} not aligned); gold is inferred, for "
        f"{100 * found['gold_inferred_share']:.0f} % of them\n  full team: accuracy {found['accuracy_full']:.3f}, "
        f"{found['calls_full']:.2f} calls a question"
    )
    folds = [fold(learn, check, say) for learn, check in (parts, parts[::-1])]
    found["one_split"] = {
        name: folds[0][name]
        for name in ("plan", "calls_saved_share", "accuracy_change", "accuracy_change_low", "accuracy_change_high")
    }
    found["other_split"] = {name: folds[1][name] for name in found["one_split"]}
    pooled = pool([one["replayed"] for one in folds])
    found |= pooled
    lots = [fold_by_lot(folds, parts, seed) for seed in range(20)]
    found["by_lot"] = {
        "calls_saved_share": float(np.mean([one["calls_saved_share"] for one in lots])),
        "accuracy_change": float(np.mean([one["accuracy_change"] for one in lots])),
    }
    found["one_agent"] = pool([lone(learn, check) for learn, check in (parts, parts[::-1])])
    found["by_size"] = subset_sizes(parts, say)
    found["recorded_smaller_teams"] = {str(size): paired_calls(pairs) for size, pairs in small.items()}
    found["early_exit"] = early_exit(team, say)
    found["half_splits"] = half_splits(team, MARGIN, 40, say, resampled=False)
    found["groups_drawn_anew"] = half_splits(team, MARGIN, 40, say, resampled=True)
    say(
        f"  both halves: {100 * pooled['calls_saved_share']:.1f} % fewer calls, accuracy "
        f"{100 * pooled['accuracy_change']:+.2f} points ({100 * pooled['accuracy_change_low']:+.2f} to "
        f"{100 * pooled['accuracy_change_high']:+.2f})"
    )
    say(
        f"  the same plans with agents by lot: {100 * found['by_lot']['calls_saved_share']:.1f} % fewer calls, "
        f"{100 * found['by_lot']['accuracy_change']:+.2f} points"
    )
    say(
        f"  one agent, first round: {100 * found['one_agent']['calls_saved_share']:.1f} % fewer calls, "
        f"{100 * found['one_agent']['accuracy_change']:+.2f} points"
    )
    for size, one in found["recorded_smaller_teams"].items():
        say(
            f"  DyLAN's own recorded team of {size}: {100 * one['calls_saved_share']:.1f} % fewer calls, "
            f"{100 * one['accuracy_change']:+.2f} points ({100 * one['accuracy_change_low']:+.2f} to "
            f"{100 * one['accuracy_change_high']:+.2f})"
        )
    return found


def fold(learn, check, say):
    plan = propose(learn, attribute(learn), max_loss=MARGIN)
    replayed = replay(plan, check)
    change = replayed.change()
    say(f"  learned on {len(learn.runs)} questions: {plan.decision}, {plan.why}")
    say(
        f"    checked on {len(check.runs)}: {100 * replayed.calls_saved_share:.1f} % fewer calls, "
        f"{100 * change.mean:+.2f} points ({100 * change.low:+.2f} to {100 * change.high:+.2f}), "
        f"exact: {replayed.exact}"
    )
    return {"plan": plan.why, "full_plan": plan, "replayed": replayed, **changes(replayed)}


def fold_by_lot(folds, parts, seed):
    plans = [shuffle_plan(one["full_plan"], seed) for one in folds]
    return pool([replay(plan, part) for plan, part in zip(plans, parts[::-1], strict=True)])


def lone(learn, check):
    """The best agent of one half alone on the other: its first-round answer."""
    best = rank_agents(attribute(learn), "own")[-1]
    base = propose(learn, attribute(learn), max_loss=MARGIN)
    drop = tuple(Drop(agent=name) for name in learn.graph.agents if name != best)
    plan = msgspec.structs.replace(base, decision=Decision.TEAM_OF_ONE, drop=drop, early_exit=None, stop_after_round=1)
    return replay(plan, check)


def changes(replayed):
    change = replayed.change()
    return {
        "calls_saved_share": replayed.calls_saved_share,
        "accuracy_change": change.mean,
        "accuracy_change_low": change.low,
        "accuracy_change_high": change.high,
    }


def pool(parts):
    """Both halves together, each under the plan that the other taught."""
    before = np.concatenate([one.score_full for one in parts])
    after = np.concatenate([one.score_plan for one in parts])
    groups = [name for one in parts for name in one.groups]
    change = paired_difference(before, after, clusters=groups)
    calls = sum(one.calls_plan.sum() for one in parts) / sum(one.calls_full.sum() for one in parts)
    return {
        "calls_saved_share": 1 - float(calls),
        "accuracy_change": change.mean,
        "accuracy_change_low": change.low,
        "accuracy_change_high": change.high,
        "graded_as_wrong_for_lack_of_gold": int(sum(one.unknown_count for one in parts)),
        "exact": all(one.exact for one in parts),
    }


def subset_sizes(parts, say):
    """Stop when two of the first m agree: the best m of the other half against m by lot, for every m."""
    found = {}
    say("  ask m first, stop when 2 agree:   chosen on the other half            by lot (mean of 20)")
    for size in range(2, 8):
        chosen, lots = [], [[] for _ in range(20)]
        for learn, check in (parts, parts[::-1]):
            plan = next(
                one.plan
                for one in list_candidates(learn, attribute(learn))
                if one.plan.early_exit and one.plan.early_exit.agree == 2 and len(one.plan.early_exit.first) == size
            )
            chosen.append(replay(plan, check))
            for seed in range(20):
                lots[seed].append(replay(shuffle_plan(plan, seed), check))
        learned, random = pool(chosen), [pool(one) for one in lots]
        found[str(size)] = learned | {
            "by_lot_calls_saved_share": float(np.mean([one["calls_saved_share"] for one in random])),
            "by_lot_accuracy_change": float(np.mean([one["accuracy_change"] for one in random])),
        }
        say(
            f"    m = {size}: {100 * learned['calls_saved_share']:5.1f} % fewer calls, "
            f"{100 * learned['accuracy_change']:+.2f} points (from {100 * learned['accuracy_change_low']:+.2f}) | "
            f"{100 * found[str(size)]['by_lot_calls_saved_share']:5.1f} %, "
            f"{100 * found[str(size)]['by_lot_accuracy_change']:+.2f}"
        )
    return found


def paired_calls(pairs):
    change = paired_difference([a for a, *_ in pairs], [b for _, b, *_ in pairs], clusters=[s for *_, s in pairs])
    return {
        "calls_saved_share": 1 - sum(b for *_, b, _ in pairs) / sum(a for _, _, a, *_ in pairs),
        "accuracy_change": change.mean,
        "accuracy_change_low": change.low,
        "accuracy_change_high": change.high,
    }


def early_exit(team, say):
    """All questions, agents in their listed order: a description of this record, not a choice checked elsewhere."""
    points = compute_exit_curve(team, max_loss=MARGIN)
    say("  early exit on the record, first round, listed order; answers that cannot be graded count as wrong:")
    for one in points.points:
        mark = " <- recommended" if one == points.recommended else ""
        stop = EarlyExit(agree=one.agree, of=one.of)
        replayed = replay(msgspec.structs.replace(make_blank_plan(team, Decision.REDUCE), early_exit=stop), team)
        change = replayed.change()
        say(
            f"    {one.agree} of 7 agree: {100 * one.calls_saved_share:5.1f} % fewer calls, accuracy "
            f"{replayed.score_plan.mean():.3f}, {100 * change.mean:+.2f} points ({100 * change.low:+.2f} to "
            f"{100 * change.high:+.2f}){mark}"
        )
    return msgspec.to_builtins(points)


if __name__ == "__main__":
    sys.exit(main())
