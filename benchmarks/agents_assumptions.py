"""How often a method finds a planted agent, and what that figure hangs on: one assumption changed at a time."""

from collections import Counter
from dataclasses import replace

import numpy as np

from agents.simulator import Scenario, SimulatedTeam, as_in_notes, equal, persuasive, planted
from modicum.agents.answers import vote
from modicum.agents.attribution import attribute, leave_one_out
from modicum.agents.learners import AgentDropout, AgentDropoutReleased
from modicum.agents.learners.edges import EdgeRun, EdgeSettings, train_edges
from modicum.agents.proposal import rank_agents
from modicum.agents.trials import Trials
from modicum.statistics.proportions import share_over_tasks

PLAIN = {"baseline": True, "nuclear_weight": 0.0, "anchor_weight": 0.0, "batch_size": 5}
"""REINFORCE as one would write it down: a baseline, no pulls, small batches."""


def assumptions(seeds, say):
    """Both scenario sets, ours and `as_in_notes`, and what makes the difference."""
    return {
        "as_in_notes": notes_set(seeds, say),
        "leave_one_out": revote_assumptions(seeds, say),
        "edges": edge_assumptions(max(5, seeds // 20), say),
    }


def notes_set(seeds, say):
    """The methods on the second set of scenarios."""
    say("\nThe same under the assumptions of the earlier simulation (ties by lot), 40 and 200 runs")
    bad, loud = (SimulatedTeam(one) for one in as_in_notes().values())
    truth = bad.truth(bad.tasks(4000, 1))
    found = {"score_full": truth[""], "score_without_bad": truth["bad"]}
    for runs in (40, 200):
        few = seeds if runs == 40 else max(20, seeds // 4)
        reports = [attribute(bad.record(bad.tasks(runs, 1000 + seed))) for seed in range(few)]
        found[f"own_correctness_{runs}"] = share(rank_agents(one, "own")[0] == "bad" for one in reports)
        found[f"leave_one_out_{runs}"] = share(rank_agents(one, "without")[0] == "bad" for one in reports)
        found[f"paper_{runs}"] = share(node_pick(bad, runs, seed) == "bad" for seed in range(few))
        for name, settings in (("paper_edges", {}), ("reinforce_edges", PLAIN)):
            found[f"persuasive_{name}_{runs}"] = share(
                edge_pick(loud, runs, seed, **settings) == "loud" for seed in range(min(few, 50))
            )
    for key, value in found.items():
        say(f"  {key:36s} {value:.3f}")
    return found


def revote_assumptions(seeds, say):
    """Leave-one-out: who wins a tie, which answers are voted on, who reads, where the planted agent stands."""
    say("\nVote without the agent: how often the planted agent is picked at 40 and 200 runs, one assumption at a time")
    base = planted()
    able = [one for one in base.agents if one.name != "bad"]
    bad = next(one for one in base.agents if one.name == "bad")
    scenarios = {
        "as it is": (base, without),
        "a tie goes to whoever spoke first": (base, without_first_given),
        "answers of the first round are voted on": (base, without_in_first_round),
        "the team breaks its own ties by lot": (replace(base, ties_by_lot=True), without),
        "all wrong answers to a task alike": (replace(base, attraction=1.0), without),
        "nobody reads within a round": (replace(base, spatial="none"), without),
        "nobody is talked over": (replace(base, herding=0.0), without),
        "the planted agent listed first": (Scenario("first", (bad, *able)), without),
        "the planted agent listed last": (Scenario("last", (*able, bad)), without),
    }
    found = {}
    for name, (scenario, measure) in scenarios.items():
        team = SimulatedTeam(scenario)
        shares = []
        for runs, few in ((40, max(20, seeds // 2)), (200, max(20, seeds // 5))):
            teams = (team.record(team.tasks(runs, 1000 + seed)) for seed in range(few))
            shares.append(share(picked(one, measure) == "bad" for one in teams))
        found[name] = dict(zip(("40", "200"), shares, strict=True))
        say(f"  {name:44s} {shares[0]:.2f}  {shares[1]:.2f}")
    return found


def picked(recorded, measure):
    """Who costs the vote most; of equals the first listed, as `ranking` has it where tokens are equal."""
    return max(recorded.graph.agents, key=lambda name: measure(recorded, name))


def without(recorded, name):
    return leave_one_out(recorded, name).value


def without_first_given(recorded, name):
    def right(run, last):
        return run.worth(vote(list(last.values())))

    pairs = [(run, run.last_answers()) for run in recorded.graded]
    return sum(right(run, {k: v for k, v in last.items() if k != name}) - right(run, last) for run, last in pairs)


def without_in_first_round(recorded, name):
    first = [replace(run, turns=tuple(turn for turn in run.turns if turn.round == 1)) for run in recorded.runs]
    return without(recorded.part(first), name)


def edge_assumptions(seeds, say):
    """The edge stage on the persuasive agent at each place of the list, and whom it picks of five equal agents."""
    say(
        "\nEdge stage, 200 trials: how often the persuasive agent is picked when it is listed 1st to 5th,\n"
        "and how often each of five EQUAL agents is (0.20 each, if the list did not matter)"
    )
    settings = {
        "as published": {},
        "edges in any order": {"shuffled": True},
        "no nuclear norm": {"nuclear_weight": 0.0},
        "no anchor": {"anchor_weight": 0.0},
        "neither": {"nuclear_weight": 0.0, "anchor_weight": 0.0},
        "neither, baseline": {"nuclear_weight": 0.0, "anchor_weight": 0.0, "baseline": True},
    }
    teams = [SimulatedTeam(persuasive(place)) for place in range(5)]
    same = SimulatedTeam(equal())
    found = {}
    for name, chosen in settings.items():
        places = [
            share(edge_pick(team, 200, seed, **chosen) == "loud" for seed in range(2 * seeds if not place else seeds))
            for place, team in enumerate(teams)
        ]
        drawn = Counter(edge_pick(same, 200, seed, **chosen) for seed in range(4 * seeds))
        equals = [drawn[agent] / (4 * seeds) for agent in same.graph.agents]
        found[name] = {"by_place": places, "mean": float(np.mean(places)), "equal_agents": equals}
        say(
            f"  {name:20s} {'  '.join(f'{one:.2f}' for one in places)}  mean {np.mean(places):.2f}"
            f"  | equal agents {'  '.join(f'{one:.2f}' for one in equals)}"
        )
    return found


def node_pick(team, runs, seed, **settings):
    """Whom the paper's node stage drops in the last round after so many trials; batches of 20 as in the paper."""
    learner = AgentDropout(seed=seed, node_batches=runs // 20, edge_batches=0, **settings)
    trials = Trials(team.graph, team.tasks(runs, 5000 + seed), team.run, team.score)
    drop = learner.learn(team.graph, trials=trials).plan.drop
    return next(one.agent for one in drop if one.round == team.graph.rounds)


def edge_pick(team, runs, seed, *, batch_size=10, **settings):
    """Whose outgoing edges weigh least after the edge stage on so many trials."""
    chosen = {"nuclear_weight": 1.0, "anchor_weight": 1.0, "anchor_slack": 0.1, "baseline": False} | settings
    learner = EdgeSettings(
        batches=runs // batch_size,
        batch_size=batch_size,
        prune_after=(),
        edge_drop_rate=0.0,
        learning_rate=0.1,
        temperature=1.0,
        shared=False,
        **chosen,
    )
    state = EdgeRun.start(team.graph)
    trials = Trials(team.graph, team.tasks(runs, 5000 + seed), team.run, team.score)
    train_edges(state, learner, trials, np.random.default_rng(seed))
    return lightest(team, state)


def released_figures(seeds, say):
    """The edge stage as released, 200 trials: beside what its own code comes to on the same tasks."""
    say("\nEdge stage as released, 200 trials: share of seeds, with 95 % interval")
    found = {"seeds": seeds}
    for name, team, runs in (("persuasive", persuasive(), seeds), ("equal", equal(), seeds)):
        simulated = SimulatedTeam(team)
        picked = Counter(released_pick(simulated, 200, seed) for seed in range(runs))
        agents = simulated.graph.agents if name == "equal" else ("loud",)
        found[name] = {
            agent: [picked[agent] / runs, *share_over_tasks([1.0] * picked[agent] + [0.0] * (runs - picked[agent]))]
            for agent in agents
        }
        for agent, (value, low, high) in found[name].items():
            say(f"  {name:12s} {agent:10s} {value:.3f} [{low:.3f}, {high:.3f}]")
    return found


def released_pick(team, runs, seed):
    """As `edge_pick`, with the equations of the released code."""
    learner = AgentDropoutReleased(edge_batches=runs // 10, prune_after=())
    state = EdgeRun.start(team.graph)
    trials = Trials(team.graph, team.tasks(runs, 5000 + seed), team.run, team.score)
    learner.edge_stage(state, trials, np.random.default_rng(seed))
    return lightest(team, state)


def lightest(team, state):
    """Whose outgoing edges weigh least."""
    spatial, temporal = state.weights()
    others = ~np.eye(len(team.graph.agents), dtype=bool)
    outgoing = spatial.sum(axis=(0, 2)) + (temporal * others).sum(axis=(0, 2))
    return team.graph.agents[int(np.argmin(outgoing))]


def share(flags):
    return float(np.mean([bool(flag) for flag in flags]))
