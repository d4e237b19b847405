import pytest

from ledger.samples import entry
from modicum.calls import Owner
from modicum.insights.scoping.time_span import EVER, NEVER
from modicum.ledger.asking.conditions import restrict

CUT = {"by": "model", "tag": "", "zone": "UTC", "since": EVER, "until": NEVER}


def test_conditions_stand_in_the_text_and_names_are_bound():
    text, values = restrict("SELECT 1 WHERE $where", {"where": {"user": "ada", "tag:feature": "chat"}, "by": "model"})

    assert text == "SELECT 1 WHERE tag_value(tags, $where_tag_a) = $where_a AND user_name = $where_b"
    assert values == {"by": "model", "where_tag_a": "feature", "where_a": "chat", "where_b": "ada"}


def test_without_conditions_all_calls_are_meant():
    assert restrict("WHERE $where", {}) == ("WHERE 1 = 1", {})
    assert restrict("SELECT 1", {"where": {}}) == ("SELECT 1", {})


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("WHERE $where", {"1 = 1 OR model": "x"}),
        ("WHERE $where", {"cost_usd": "1"}),
        ("WHERE $where", {"model": 1}),
        ("WHERE $where", {f"tag:{number}": "x" for number in range(30)}),
        ("WHERE TRUE", {"model": "x"}),
    ],
)
def test_what_is_no_condition_is_refused(text, where):
    with pytest.raises(ValueError, match=r"chosen|text|most|all calls"):
        restrict(text, {"where": where})


def test_both_engines_choose_the_same_calls(store):
    odd = "o'b \\ $x %"
    store.append(
        [
            entry("c1", owner=Owner(team=odd), tags={"a.b": "1"}),
            entry("c2", owner=Owner(team="t"), tags={"a.b": "1"}),
            entry("c3", owner=Owner(team=odd)),
            entry("c4", model="other"),
        ]
    )

    def calls(**where):
        return sum(row["calls"] for row in store.ask("bill", **CUT, where=where))

    assert [calls(), calls(team=odd), calls(team=""), calls(model="other")] == [4, 2, 1, 1]
    assert [calls(**{"tag:a.b": "1"}), calls(**{"tag:a.b": "1", "team": odd}), calls(**{"tag:a.b": ""})] == [2, 1, 2]
    assert store.ask("yield", **CUT, where={"team": "t"}, outcome="x")[0]["calls"] == 1
