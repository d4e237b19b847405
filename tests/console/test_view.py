import shlex
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest

from modicum.calls import UserError
from modicum.console.view import read_view


def test_an_address_says_which_calls_in_the_words_of_the_verbs():
    view = read_view(
        [("since", "2026-02-03"), ("where", "team=a=b"), ("where", "tag:f=x"), ("by", "user")], "Europe/Berlin"
    )

    assert view.scope.since == datetime(2026, 2, 2, 23, tzinfo=UTC)
    assert view.scope.where == {"team": "a=b", "tag:f": "x"}
    assert view.word("by") == "user"
    assert shlex.split(view.options()) == ["--since", "2026-02-03", "--where", "team=a=b", "--where", "tag:f=x"]
    assert view.options(takes_where=False) == " --since 2026-02-03"
    odd = read_view([("where", "team="), ("where", "model=a[b]*")], "UTC")
    assert shlex.split(odd.options()) == ["--where", "team=(none)", "--where", "model=a[[]b][*]"]


def test_a_query_leads_to_the_same_calls():
    view = read_view([("since", "7d"), ("where", "team=a&b#?"), ("by", "user"), ("until", "")], "UTC")
    again = read_view(parse_qsl(view.query(by="model")[1:]), "UTC")

    assert again.scope.where == view.scope.where
    assert (again.typed, again.words) == ({"since": "7d"}, {"by": "model"})
    assert read_view(parse_qsl(view.narrowed("model", "")[1:], keep_blank_values=True), "UTC").scope.where == {
        "team": "a&b#?",
        "model": "",
    }
    assert read_view(parse_qsl(view.widened("team")[1:]), "UTC").scope.where == {}
    assert read_view([], "UTC").query() == "?"


def test_the_form_of_the_page_adds_a_condition():
    assert read_view([("dimension", "user"), ("name", "ada")], "UTC").scope.where == {"user": "ada"}
    assert read_view([("dimension", ""), ("name", "")], "UTC").scope.where == {}
    assert read_view([("timezone", "Europe/Berlin")], "UTC").zone.name == "Europe/Berlin"


def test_a_dimension_that_is_none_is_said():
    with pytest.raises(UserError, match="accepted are"):
        read_view([("dimension", "cost_usd"), ("name", "1")], "UTC")


@pytest.mark.parametrize(("words", "part"), [(["team"], "under 'only'"), (["team=a", "team=b"], "take one of the two")])
def test_what_is_wrong_is_said_in_words_of_pages(words, part):
    with pytest.raises(UserError, match=part) as said:
        read_view([("where", word) for word in words], "UTC")

    assert "--" not in str(said.value)
