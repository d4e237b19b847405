import pytest

from modicum.console.pages.where import CUTS, read
from modicum.console.view import read_view
from modicum.insights.bill import build


@pytest.mark.parametrize("by", CUTS)
def test_every_cut_has_the_figures_of_the_bill(site, few_calls, by):
    view = read_view([("by", by)], "UTC")
    (table,) = read(site.asking, view).tables
    bill = build(few_calls.ask("bill", by=by, tag="", **view.scope.parameters), by)

    assert [(row[0].value, row[3].value) for row in table.rows] == [(line.name, line.calls) for line in bill.rows]


def test_a_name_leads_to_its_calls_only(site):
    content = read(site.asking, read_view([("by", "team")], "UTC"))
    href = next(row[0].href for row in content.tables[0].rows if row[0].text == "search")

    assert href == "where?by=user&where=team%3Dsearch"
    assert "ada" in site.get(f"/{href}").text


@pytest.mark.parametrize("by", ["kind", "tool"])
def test_prompts_are_taken_apart_and_conditions_that_do_not_hold_are_said(site, by):
    content = read(site.asking, read_view([("by", by), ("where", "team=search")], "UTC"))

    assert "conditions are left aside" in content.notes[0]
    assert {row[0].text for row in content.tables[0].rows} >= {"(prompts without anatomy)"}


def test_a_cut_that_is_none_is_said(site):
    assert "accepted are team" in site.get("/where?by=cost").text
