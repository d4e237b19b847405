"""Small recorded teams and plans that the tests of this room share."""

from modicum.agents.plan_rules import Decision, Drop
from modicum.agents.recordings import RecordedRow, build_team
from modicum.agents.team_plan import SCHEMA, TeamPlan

AGENTS = ("a", "b", "c")


def plan(agents=AGENTS, *, rounds=1, drop=(), **fields):
    """`drop` holds names, or (name, round)."""
    lines = tuple(Drop(agent=one) if isinstance(one, str) else Drop(agent=one[0], round=one[1]) for one in drop)
    fields = {"canary_share": 0} | fields
    return TeamPlan(
        schema=SCHEMA, team="t", decision=Decision.REDUCE, agents=tuple(agents), rounds=rounds, drop=lines, **fields
    )


def rows(run, *rounds, answer=None, gold=None, outcome=None, group="", reads=None, tokens=10):
    """One run: each round a dict of agent -> answer."""
    found = [
        RecordedRow(
            run=run,
            team="t",
            agent=agent,
            round=number,
            answer=said,
            group=group,
            reads=reads,
            prompt_tokens=tokens,
            completion_tokens=tokens,
        )
        for number, said_by in enumerate(rounds, start=1)
        for agent, said in said_by.items()
    ]
    return [*found, RecordedRow(run=run, team="t", answer=answer, gold=gold, outcome=outcome)]


def team(*runs, graph=None):
    lines = list(enumerate((row for run in runs for row in run), start=1))
    recorded, problems = build_team(lines, path="test.jsonl", graph=graph)
    assert problems == []
    return recorded
