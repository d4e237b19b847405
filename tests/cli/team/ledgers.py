"""A ledger with the runs of a small team: two of the full team, one that the gateway ran under a plan."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from modicum.calls import Basis, Call, Cost, Edit, Entry, Usage
from modicum.ledger.opening import open_store

NOW = datetime(2026, 2, 3, tzinfo=UTC)


def booked(number, day, agent, arm="", usd="0.5", **fields):
    tags = {"run": f"r{day}", "round": "1", "agent_team": "sim", "answer": "a", **({"plan_arm": arm} if arm else {})}
    call = Call(
        call_id=f"c{number}",
        source="test",
        provider="p",
        model="m",
        started=NOW + timedelta(days=day, seconds=number),
        usage=Usage(100, 0, 0, 0, 10),
        agent=agent,
        tags=tags,
        **fields,
    )
    return Entry(call, Cost.unknown() if usd is None else Cost(Decimal(usd), Basis.EXACT))


def team_ledger(place):
    store = open_store(str(place))
    store.append(
        [
            booked(1, 0, "a"),
            booked(2, 0, "b", usd="0.25"),
            booked(3, 1, "a", usd=None),
            booked(4, 1, "b"),
            booked(5, 2, "a", arm="plan"),
            booked(6, 2, "b", arm="plan", calls_count=0, edits=(Edit("team_plan.drop", 100, 0, "why"),)),
        ]
    )
    store.close()
    return place
