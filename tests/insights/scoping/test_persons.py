import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import UserError
from modicum.insights.scoping.call_choice import parse_conditions
from modicum.insights.scoping.persons import PersonRule, check_persons, group_persons, persons_note, show_names
from modicum.ledger.asking.several_dimensions import BETWEEN

ME = PersonRule(frozenset({"ada"}))
EVERYONE = PersonRule(frozenset(), shows_everyone=True)


def shown(names, dimensions, rule=ME):
    return [row["name"] for row in group_persons([{"name": name} for name in names], dimensions, rule)]


def test_oneself_is_shown_by_name_and_others_as_a_sum():
    assert shown(["ada", "b", "c", "d", "e", "f", ""], ["user"]) == ["ada", *["(5 other persons)"] * 5, ""]
    assert shown(["ada", "b"], ["user"]) == ["ada", "(other persons)"]
    assert shown(["ada", "b"], ["user"], EVERYONE) == ["ada", "b"]
    assert shown(["search"], ["team"]) == ["search"]


def test_a_group_below_five_is_in_no_row_of_its_own():
    names = [f"big{BETWEEN}{person}" for person in "bcdef"] + [f"small{BETWEEN}{person}" for person in ("ada", "b")]

    assert shown(names, ["team", "user"]) == [
        *[f"big{BETWEEN}(5 other persons)"] * 5,
        f"small{BETWEEN}ada",
        f"(groups below five){BETWEEN}(groups below five)",
    ]


def test_the_person_within_an_owner():
    owners = [f"search/app/{person}/key-{person}" for person in "bcdef"] + [
        "search/app/ada/k",
        "search/other/b/k",
        "t/a//k",
    ]

    assert shown(owners, ["owner"]) == [
        *["search/app/(5 other persons)"] * 5,
        "search/app/ada/k",
        "(groups below five)",
        "t/a//k",
    ]


@given(st.lists(st.tuples(st.sampled_from(["x", "y"]), st.sampled_from("abcdefgh")), max_size=30))
def test_no_row_is_of_fewer_than_five_others(rows):
    names = [BETWEEN.join(row) for row in rows]
    groups = {}
    for name, own in zip(shown(names, ["team", "user"]), rows, strict=True):
        groups.setdefault(name, set()).add(own[1])

    assert all(len(people) >= 5 for name, people in groups.items() if "other persons" in name)
    assert not any(name.split(BETWEEN)[-1] in set("abcdefgh") for name in groups)


def test_nobody_is_looked_up():
    check_persons(parse_conditions([("user", "ada"), ("user", "(none)"), ("team", "search")]), ME)
    check_persons(parse_conditions([("user", "bob")]), EVERYONE)
    for dimension, name in (("user", "bob"), ("user", "*"), ("owner", "t/a/bob/k")):
        with pytest.raises(UserError, match="only as sums over five and more; show = 'everyone'"):
            check_persons(parse_conditions([(dimension, name)]), ME)


def test_what_is_hidden_is_said():
    assert persons_note(["user", "month"], ME).startswith("by name: ada; other persons as sums")
    owners = ["ops/bot//", "ops/bot//key"]
    assert persons_note(["owner"], ME, owners) == ""
    assert persons_note(["owner"], ME, [*owners, "ops/bot/bob/"]) != ""
    assert persons_note(["user"], ME, ["", ""]) == ""
    assert persons_note(["team"], ME) == persons_note(["user"], EVERYONE) == ""
    assert show_names(["ada", "bob", "bob"], "user", ME) == {"ada": "ada", "bob": "(other persons)"}
