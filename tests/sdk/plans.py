"""Plans that the adapters' tests share."""

from modicum.agents.plan_rules import Decision, Drop, Mute
from modicum.agents.team_plan import SCHEMA, TeamPlan


def plan(agents, *, rounds=1, drop=(), mute=(), **fields):
    return TeamPlan(
        schema=SCHEMA,
        team="test",
        decision=Decision.REDUCE,
        agents=tuple(agents),
        rounds=rounds,
        drop=tuple(Drop(agent=name, round=number) for name, number in drop),
        mute=tuple(Mute(source=source, reader=reader) for source, reader in mute),
        canary_share=0,
        **fields,
    )
