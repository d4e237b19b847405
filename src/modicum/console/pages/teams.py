"""Teams of agents: what each agent cost, and how many turns it had."""

import shlex
from collections.abc import Sequence

from modicum.agents.from_ledger import LedgerRows, RunSelection, read_ledger_rows
from modicum.calls import UserError
from modicum.console.asking import Asking
from modicum.console.page import Cell, Content, Page, Table, Tile, with_command
from modicum.console.view import View
from modicum.reports.figures import count, dollars_of

FURTHER = with_command(
    "what each agent adds to outcomes, and whom a plan would drop, takes long to work out: ask whoever runs modicum",
    "modicum team attribute, modicum team propose",
)


def read(asking: Asking, view: View) -> Content:
    """What the ledger holds of runs of teams, as `modicum team attribute` reads them; graded by the outcome that most
    tasks have, if the address names no other.
    """
    since, until = view.scope.since, view.scope.until
    tags = asking.rows("team_tags", since=since, until=until)[0]
    if not tags["calls_with_run_and_agent"]:
        return Content()
    graded = sorted(asking.rows("outcomes"), key=lambda row: (-row["tasks"], row["name"]))
    names = [row["name"] for row in graded]
    outcome = view.word("outcome") or (names[0] if names else None)
    which = RunSelection(since=since, until=until)
    key = ("teams", since, until, outcome)
    choices = [(name, view.query(outcome=name), name == outcome) for name in names]
    try:
        found = asking.share(key, lambda: asking.with_store(lambda store: read_ledger_rows(store, outcome, which)))
    except UserError as error:
        return Content(notes=[str(error)], parts={"outcomes": choices})
    return Content(
        tiles=_tiles(found),
        tables=[_agent_table(found, team) for team in sorted({name for name, _, _ in found.costs})],
        notes=[*found.notes, *(str(problem) for problem in found.problems[:6]), FURTHER],
        parts={"outcomes": choices if len(choices) > 1 else []},
    )


def _tiles(found: LedgerRows) -> list[Tile]:
    runs = {row.run for _, row in found.rows}
    teams = {name for name, _, _ in found.costs}
    return [
        Tile(label="teams", value=count(len(teams))),
        Tile(
            label="runs", value=count(len(runs)), note=f"graded by {found.outcome}" if found.outcome else "no outcome"
        ),
        Tile(label="turns", value=count(len(found.costs))),
    ]


def _agent_table(found: LedgerRows, team: str) -> Table:
    costs = found.agent_costs(team)
    ordered: Sequence[str] = sorted(costs, key=lambda agent: -(costs[agent].cost_usd or 0))
    return Table(
        name=f"agents-{team}" if team else "agents",
        title=f"Agents of {team}" if team else "Agents",
        columns=["agent", "spent", "turns", "$ a turn", "turns of unknown cost"],
        rows=[
            [
                Cell(agent),
                Cell(dollars_of(costs[agent].cost_usd), costs[agent].cost_usd or ""),
                Cell(count(costs[agent].turns_count), costs[agent].turns_count),
                Cell(dollars_of(costs[agent].cost_per_turn_usd), costs[agent].cost_per_turn_usd or ""),
                Cell(count(costs[agent].turns_count - costs[agent].turns_priced)),
            ]
            for agent in ordered
        ],
        verb=f"modicum team attribute{_options(found, team)}",
    )


def _options(found: LedgerRows, team: str) -> str:
    named = {"--team": team, "--outcome": found.outcome}
    return "".join(f" {option} {shlex.quote(name)}" for option, name in named.items() if name)


PAGE = Page(
    name="teams",
    title="Teams of agents",
    about="What each agent of a team costs.",
    read=read,
    for_teams=False,
    takes_where=False,
    nothing=with_command(
        "No call of that time says of which run and agent it is. Programs tell by the headers x-modicum-run, "
        "x-modicum-agent and x-modicum-round, or by tags of the same names: ask who writes them (docs/teams.md).",
        "modicum team --help",
    ),
)
