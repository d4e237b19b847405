from console.rig import Site
from modicum.console.pages.overview import read
from modicum.console.view import read_view
from modicum.insights.bill import build


def test_figures_are_those_of_the_bill_of_the_same_calls(site, few_calls):
    for pairs in ([], [("where", "team=search")], [("since", "2026-02-04")], [("where", "model=mystery")]):
        view = read_view(pairs, "UTC")
        content = read(site.asking, view)
        bill = build(few_calls.ask("bill", by="model", tag="", **view.scope.parameters), "model")
        figures = {row[0].value: (row[1].value, row[3].value, row[4].value) for row in content.tables[0].rows}

        assert figures == {
            line.name: ("" if line.cost_usd is None else line.cost_usd, line.calls, line.prompt_tokens)
            for line in bill.rows
        }
        assert content.tiles[0].basis == bill.total.basis.value
        assert sum(row[1].value for row in content.tables[1].rows) == bill.total.calls


def test_what_is_not_exact_is_said(site):
    content = read(site.asking, read_view([], "UTC"))

    assert content.tiles[0].value == "$4.50"
    assert content.tiles[0].note == "1 call of unknown cost not in it"
    assert any("no price is known for mystery" in note for note in content.notes)


def test_the_last_minute_stands_beside(few_calls):
    live = {"total": {"calls": 3, "cost_usd": "0.5", "calls_failed": 1}}
    content = read(Site(few_calls, live=live).asking, read_view([], "UTC"))

    assert content.tiles[-1].value == "3 calls"
    assert content.tiles[-1].note == "$0.50, 1 failed"
