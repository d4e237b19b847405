"""Recorded teams out of the ledger: calls that say which run, agent and round they were.

The tags of a call bear the names of the gateway's headers (`modicum.agents.headers`): `run`, `round`. Where somebody
wrote them, these are read too: `answer`, `score`, `reads`, `step`, `prompt_digest`, `agent_team`, `team_answer`,
`gold`, `group`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from modicum.agents.recordings import RecordedRow
from modicum.calls import Problem
from modicum.calls.errors import UserError
from modicum.calls.words.counted_nouns import noun_for, number_of
from modicum.ledger.outcomes import find_outcome
from modicum.ledger.store import Store


class LedgerRows(msgspec.Struct, frozen=True):
    """What the ledger holds of teams."""

    rows: list[tuple[int, RecordedRow]]
    problems: list[Problem]
    outcome: str
    """The outcome that grades the runs; empty where the ledger holds none."""
    notes: list[str]
    """What a reader must know about the rows."""
    costs: list[tuple[str, str, float | None]]
    """Team, agent and USD of each turn; None where a call of the turn has no known cost."""

    def agent_costs(self, team: str) -> dict[str, "AgentCost"]:
        """What the turns of a team's agents cost, by agent."""
        found: dict[str, list[float | None]] = {}
        for name, agent, usd in self.costs:
            if name == team:
                found.setdefault(agent, []).append(usd)
        return {agent: _sum_agent_cost(costs) for agent, costs in found.items()}


class AgentCost(msgspec.Struct, frozen=True):
    """Only turns whose every call has a known cost are in the sums."""

    turns_count: int
    turns_priced: int
    cost_usd: float | None
    """Of the priced turns; None where there is none."""
    cost_per_turn_usd: float | None


def _sum_agent_cost(costs: list[float | None]) -> AgentCost:
    known = [usd for usd in costs if usd is not None]
    if not known:
        return AgentCost(len(costs), 0, None, None)
    return AgentCost(len(costs), len(known), sum(known), sum(known) / len(known))


class RunSelection(msgspec.Struct, frozen=True):
    """Which runs of a ledger are meant."""

    since: datetime = datetime(1900, 1, 1, tzinfo=UTC)
    """Runs that began from then on."""
    until: datetime = datetime(2300, 1, 1, tzinfo=UTC)
    """Runs that began before then."""
    arm: str = "full"
    """`full`: without those that went under a plan of the gateway; `plan`: those alone; empty: all."""


ALL_FULL_RUNS = RunSelection()


def read_ledger_rows(store: Store, outcome: str | None = None, which: RunSelection = ALL_FULL_RUNS) -> LedgerRows:
    """The rows of all teams, for `recorded_team`.

    Args:
        store: the ledger.
        outcome: which outcome grades the runs; needed only where the ledger holds several.
        which: runs of another time or kind are left out.

    Raises:
        UserError: no call is a turn of a team (it says what is missing), or the outcome is not clear.
    """
    counted = store.ask("team_tags", since=which.since, until=which.until)[0]
    if not counted["calls_with_run_and_agent"]:
        raise UserError(_explain_missing(store.place, counted))
    name = _choose_outcome(store, outcome)
    rows: list[tuple[int, RecordedRow]] = []
    problems: list[Problem] = []
    costs: list[tuple[str, str, float | None]] = []
    unclear = 0
    parameters = {"outcome": name, "since": which.since, "until": which.until, "arm": which.arm}
    for number, found in enumerate(store.ask("team_rows", **parameters), start=1):
        unclear += found["outcome_unclear"]
        try:
            row = _make_row(found)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            who = f"agent '{found['agent']}' of run '{found['run']}'"
            problems.append(Problem(store.place, f"a tag of {who} does not fit a recording: {error}"))
            continue
        rows.append((number, row))
        if row.agent:
            costs.append((row.team, row.agent, found["cost_usd"]))
    return LedgerRows(rows, problems, name, _list_notes(counted, unclear, name, which.arm), costs)


def _make_row(found: Mapping[str, Any]) -> RecordedRow:
    fields = {name: found[name] for name in RecordedRow.__struct_fields__ if name != "group"}
    fields["group"] = found["group_name"]
    if fields["reads"] is not None:
        fields["reads"] = msgspec.json.decode(fields["reads"])
    return msgspec.convert(
        {name: value for name, value in fields.items() if value is not None}, RecordedRow, strict=False
    )


def _explain_missing(place: str, counted: Mapping[str, Any]) -> str:
    calls = int(counted["calls"])
    if not calls:
        return f"the ledger {place} holds no calls; fill it with 'modicum import PATH...', or give a recording: FILE"
    if not counted["calls_with_run"]:
        return (
            f"none of the {number_of(calls, 'call')} in the ledger {place} has the tags 'run' and 'round' (headers "
            "x-modicum-run, x-modicum-round), so their runs are not known. Record them, or give a recording: FILE"
        )
    return (
        f"{number_of(int(counted['calls_with_run']), 'call')} in the ledger {place} "
        f"{noun_for(int(counted['calls_with_run']), 'has', 'have')} the tag 'run', but none names "
        "its agent (field 'agent', header x-modicum-agent), so it is not known who spoke"
    )


def _choose_outcome(store: Store, name: str | None) -> str:
    if name is not None:
        return str(find_outcome(store, name)["name"])
    known = [row["name"] for row in store.ask("outcomes")]
    if len(known) > 1:
        raise UserError(
            f"the ledger {store.place} holds {number_of(len(known), 'outcome')} ({', '.join(known)}): choose one with "
            "--outcome NAME"
        )
    return known[0] if known else ""


def _list_notes(counted: Mapping[str, Any], unclear: int, outcome: str, arm: str) -> list[str]:
    notes = []
    if arm == "full" and counted["runs_under_plan"]:
        notes.append(
            f"{number_of(int(counted['runs_under_plan']), 'run')} used a plan: left out (--arm plan selects them)"
        )
    if nobody := int(counted["calls_with_run"]) - int(counted["calls_with_run_and_agent"]):
        notes.append(f"{number_of(nobody, 'call has', 'calls have')} the tag 'run' but no agent: left out")
    if counted["calls_without_round"]:
        without_round = number_of(int(counted["calls_without_round"]), "call has", "calls have")
        notes.append(f"{without_round} no tag 'round': each call of an agent is counted as its next round")
    if unclear:
        notes.append(
            f"{number_of(unclear, 'run has', 'runs have')} no clear outcome '{outcome}': their task has several runs, "
            "or outcomes with different values. Record an outcome under the name of the run"
        )
    return notes
