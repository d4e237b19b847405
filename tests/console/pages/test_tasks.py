from datetime import timedelta

from console.rig import Site
from ledger.samples import START, entry
from modicum.calls import CallStatus, Outcome, Usage
from modicum.console.pages.tasks import read
from modicum.console.view import read_view
from modicum.ledger.records import OUTCOMES


def test_the_dearest_tasks_stand_first_and_lead_on(site):
    (table,) = read(site.asking, read_view([], "UTC")).tables

    assert [(row[0].text, row[3].text) for row in table.rows] == [("T1", "$3.75"), ("T2", "$0.50 + 1 unknown")]
    assert table.rows[0][0].href == "tasks?task=T1"
    assert [row[3].basis for row in table.rows] == ["exact", "unknown"]
    (table,) = read(site.asking, read_view([("where", "model=gpt-5")], "UTC")).tables
    assert [row[0].text for row in table.rows] == ["T2"]


def test_a_task_call_by_call_on_both_engines(store):
    def call(number, minutes, read, written, **fields):
        return entry(
            f"c{number}",
            task="T",
            conversation="k",
            turn=number,
            started=START + timedelta(minutes=minutes),
            usage=Usage(10, read, written, 0, 50),
            **fields,
        )

    store.append(
        [
            call(1, 0, 0, 1000),
            call(2, 1, 1000, 10),
            call(3, 31, 0, 1020, status=CallStatus.ERROR, finish_reason="overloaded"),
        ]
    )
    store.append_records(OUTCOMES, [Outcome(outcome_id="o", task="T", name="resolved", value=1, time=START)])
    (table,) = read(Site(store).asking, read_view([], "UTC")).tables
    assert [cell.text for cell in table.rows[0]][3:6] == ["$0.75", "3", "1"]
    assert table.rows[0][8].value == 1
    content = read(Site(store).asking, read_view([("task", "T")], "UTC"))
    calls = content.table("calls").rows

    assert [row[3].text for row in calls] == ["", "", "cache lost: a pause of 30 minutes, error (overloaded)"]
    assert [tile.value for tile in content.tiles] == ["$0.75", "3", "1", "resolved 1"]
    assert content.table("outcomes").rows[0][0].text == "resolved"
    assert "circle" in content.parts["chart"]


def test_a_task_that_is_not_there_is_said(site):
    reply = site.get("/tasks?task=%3Cb%3E")

    assert "no call of the ledger is of a task &#39;&lt;b&gt;&#39;" in reply.text
