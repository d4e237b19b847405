from decimal import Decimal

from modicum.console.tables import MOST_ROWS, bill_table
from modicum.console.view import read_view
from modicum.insights.bill import build


def test_names_lead_to_their_calls_and_shares_are_of_the_whole(few_calls):
    view = read_view([("since", "2026-01-01")], "UTC")
    bill = build(few_calls.ask("bill", by="model", tag="", **view.scope.parameters), "model")
    table = bill_table(bill, "model", view, "t", page="where", next_by="task")
    rows = {row[0].text: row for row in table.rows}

    assert rows["gpt-5"][0].href == "where?since=2026-01-01&by=task&where=model%3Dgpt-5"
    assert rows["gpt-5"][2].text == "11.1 %"
    assert (rows["mystery"][1].text, rows["mystery"][1].value) == ("unknown", "")
    assert table.total[1].text == "$4.50 + 1 unknown"
    assert table.verb == "modicum bill --by model --since 2026-01-01"


def test_many_names_are_cut_and_counted(few_calls):
    view = read_view([], "UTC")
    cell = few_calls.ask("bill", by="model", tag="", **view.scope.parameters)[0]
    count = MOST_ROWS + 7
    cells = [{**cell, "name": f"n{number}", "cost_usd": Decimal(number)} for number in range(count)]
    table = bill_table(build(cells, "user"), "user", view, "t")

    assert (len(table.rows), table.more) == (MOST_ROWS, 7)
