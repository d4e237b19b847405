from console.rig import Site
from ledger.samples import START, entry
from modicum.calls import Outcome
from modicum.console.pages.teams import read
from modicum.console.view import read_view
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES


def test_agents_with_what_they_cost_and_outcomes_to_choose_from():
    store = open_store(":memory:")
    store.append(
        [
            entry("a", "2", agent="solver", task="T", tags={"run": "r1", "round": "1"}),
            entry("b", "1", agent="critic", task="T", tags={"run": "r1", "round": "2"}),
            entry("c", None, agent="critic", task="T", tags={"run": "r1", "round": "3"}),
        ]
    )
    site = Site(store)
    (table,) = read(site.asking, read_view([], "UTC")).tables

    assert [[cell.text for cell in row] for row in table.rows] == [
        ["solver", "$2.00", "1", "$2.00", "0"],
        ["critic", "$1.00", "2", "$1.00", "1"],
    ]
    store.append_records(
        OUTCOMES,
        [Outcome(outcome_id=name, task="T", name=name, value=1, time=START) for name in ("ok", "fast")],
    )
    site = Site(store)
    assert read(site.asking, read_view([], "UTC")).tiles[1].note == "graded by fast"  # of two alike, the first name
    assert "teams?outcome=ok" in site.get("/teams").text.replace('href="?', 'href="teams?')
    assert read(site.asking, read_view([("outcome", "ok")], "UTC")).tiles[1].note == "graded by ok"
    store.close()
