from console.rig import Site
from ledger.samples import START, entry
from modicum.calls import Edit, Outcome
from modicum.console.pages.models import beaten_by, read
from modicum.console.view import read_view
from modicum.insights.yields import build
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES


def test_without_outcomes_prices_stand_alone_and_it_is_said(site):
    content = read(site.asking, read_view([], "UTC"))

    assert [table.name for table in content.tables] == ["models"]
    assert any("modicum outcome" in note for note in content.notes)


def test_outcomes_say_which_models_are_worth_it():
    store = open_store(":memory:")
    store.append(
        [entry(f"{model}{number}", usd, task=f"{model}{number}", model=model)
         for model, usd in (("dear", "2"), ("cheap", "1"), ("best", "5")) for number in range(4)]
    )  # fmt: skip
    values = {"dear": (1, 0, 0, 0), "cheap": (1, 1, 0, 0), "best": (1, 1, 1, 1)}
    store.append_records(
        OUTCOMES,
        [
            Outcome(outcome_id=f"{model}{number}", task=f"{model}{number}", name="ok", value=value, time=START)
            for model, given in values.items()
            for number, value in enumerate(given)
        ],
    )
    view = read_view([], "UTC")
    content = read(Site(store).asking, view)
    found = build(store.ask("yield", by="model", tag="", outcome="ok", **view.scope.parameters), "ok", "model")
    rows = {row[0].text: row for row in content.table("yield").rows}

    assert beaten_by(found.rows) == {"dear": "cheap"}
    assert {name: row[1].value for name, row in rows.items()} == {
        line.name: line.cost_per_outcome_usd.value for line in found.rows
    }
    assert rows["best"][7].text == "on the line"
    assert "cheap had no less for no more" in rows["dear"][7].text
    assert Site(store).get("/models?outcome=nothing").status == 200
    store.close()


def test_what_routes_sent_to_another_model_is_counted_as_the_verb_counts_it():
    store = open_store(":memory:")
    edits = (("route.small", "cascade.two"), ("route.small",), ("content.log_fold",))
    store.append([entry(f"c{n}", edits=tuple(Edit(rule) for rule in rules)) for n, rules in enumerate(edits)])
    site = Site(store)
    table = read(site.asking, read_view([("since", "2026-01-01"), ("timezone", "UTC")], "UTC")).table("routing")

    assert [[cell.text for cell in row] for row in table.rows] == [["cascade.two", "", "1"], ["route.small", "", "2"]]
    assert table.verb == "modicum team spared --since 2026-01-01"
    of_some = read_view([("where", "team=search")], "UTC")  # the question is of all calls
    assert read(site.asking, of_some).table("routing") is None
    site.console.close()
    store.close()
