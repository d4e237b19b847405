import pytest

from ledger.samples import EVER, START, entry
from modicum.calls import Owner
from modicum.ledger.asking.several_dimensions import BETWEEN, join_dimensions


def test_names_are_joined_on_both_engines(store):
    store.append([entry("c1", owner=Owner("search"), model="big"), entry("c2", model="big", tags={"env": "prod"})])

    rows = store.ask("bill", by=["team", "model", "tag"], tag=["", "", "env"], zone="UTC", **EVER)

    assert {row["name"] for row in rows} == {f"search{BETWEEN}big{BETWEEN}", f"{BETWEEN}big{BETWEEN}prod"}
    assert [row["name"] for row in store.ask("bill", by=["team"], tag=[""], zone="UTC", **EVER)] == ["", "search"]
    assert [row["name"] for row in store.ask("names", by="model", tag="", zone="UTC")] == ["big"]


def test_one_dimension_is_as_it_was():
    assert join_dimensions("x $by", {"by": "team", "tag": ""}) == ("x $by", {"by": "team", "tag": ""})


@pytest.mark.parametrize(
    ("text", "by", "tag"),
    [
        ("SELECT 1", ["team"], [""]),
        ("dimension($by, $tag, $zone, model)", ["a", "b"], [""]),
        ("x", [], []),
        ("x", 3, ""),
    ],
)
def test_what_does_not_fit_is_refused(text, by, tag):
    with pytest.raises(ValueError, match=r"no dimension|different lengths"):
        join_dimensions(text, {"by": by, "tag": tag})


def test_minutes_are_the_same_on_both_engines(store):
    store.append([entry("c1"), entry("c2", None), entry("c3", source="openai-usage")])

    (priced, unpriced) = store.ask("spend_by_minute", where={}, **EVER)

    assert (priced["calls"], priced["calls_unpriced"], priced["prompt_tokens"], priced["cost_usd"]) == (1, 0, 70, 0.25)
    assert (unpriced["calls"], unpriced["calls_unpriced"], unpriced["cost_usd"]) == (1, 1, None)
    assert priced["minute"] == START
