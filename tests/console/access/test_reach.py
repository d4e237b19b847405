import pytest

from console.rig import asking_of
from ledger.samples import entry
from modicum.calls import Outcome, Owner
from modicum.console.access.viewer import ForbiddenError, Viewer
from modicum.governance.access.users import parse_roles
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import Budget, LimitUnit
from modicum.insights.scoping.scope import Scope
from modicum.ledger.opening import open_store
from modicum.ledger.records import AUDIT_EVENTS, ENERGY_WINDOWS, OUTCOMES
from modicum.settings import Settings
from modicum.settings.showing.people import PeopleSettings

PERSONS = [f"p{number}" for number in range(6)]


@pytest.fixture(scope="module")
def store():
    opened = open_store(":memory:")
    search = [entry(f"s{one}", "1", owner=Owner(team="search", user=one), task="T1") for one in PERSONS]
    web = [entry(f"w{one}", "2", owner=Owner(team="web", user=one), task="T2") for one in PERSONS]
    opened.append(
        [
            *search,
            *web,
            entry("both", "4", owner=Owner(team="web"), task="T3"),
            entry("b2", owner=Owner(team="search"), task="T3"),
        ]
    )
    at = search[0].call.started
    rows = [("T1", "resolved"), ("T2", "clicked"), ("T2", "resolved")]
    opened.append_records(
        OUTCOMES,
        [
            Outcome(outcome_id=f"{task}{name}", task=task, name=name, value=1.0, time=at, source="test")
            for task, name in rows
        ],
    )
    yield opened
    opened.close()


def asking(store, words, name="p1", **people):
    settings = Settings(timezone="UTC", people=PeopleSettings(**people))
    return asking_of(store, settings=settings).for_viewer(Viewer(name=name, roles=parse_roles(words.split())))


def cut(by="team", **where):
    return {**Scope(where=where).parameters, "by": by, "tag": ""}


def names(rows):
    return {row["name"] for row in rows}


@pytest.mark.parametrize("question", ["bill", "spend_by_day"])
def test_a_question_about_another_team_is_not_asked(store, question):
    one = asking(store, "viewer:search")

    assert names(one.rows(question, **cut(team="search"))) == {"search"}
    for where in ({}, {"team": "web"}, {"team": ""}, {"app": "search"}):
        with pytest.raises(ForbiddenError, match="search only"):
            one.rows(question, **cut(**where))


def test_a_task_is_shown_to_those_whose_teams_made_all_of_it(store):
    one, both = asking(store, "viewer:search"), asking(store, "viewer:search viewer:web")

    assert len(one.rows("task_calls", task="T1", most=10)) == 6
    assert len(both.rows("task_calls", task="T3", most=10)) == 2
    for task in ("T2", "T3"):
        with pytest.raises(ForbiddenError):
            one.rows("task_calls", task=task, most=10)


def test_what_is_of_all_teams_together_is_closed(store):
    one = asking(store, "viewer:search")
    for ask in (
        lambda: one.rows("holdings"),
        lambda: one.records(ENERGY_WINDOWS),
        lambda: one.audit(Scope(), ()),
        lambda: one.with_store(lambda ledger: ledger.ask("holdings")),
    ):
        with pytest.raises(ForbiddenError):
            ask()
    assert one.live() is None
    assert one.last_audit(Scope()).value is None
    assert asking(store, "viewer").rows("holdings")


def test_outcomes_are_those_that_tasks_of_the_team_have(store):
    assert names(asking(store, "viewer:search").rows("outcomes")) == {"resolved"}
    assert {row["name"]: row["tasks"] for row in asking(store, "viewer").rows("outcomes")} == {
        "clicked": 1,
        "resolved": 2,
    }


def test_persons_are_by_name_for_themselves_and_a_sum_for_others(store):
    one = asking(store, "viewer")

    assert names(one.rows("bill", **cut("user"))) == {"", "p1", "(5 other persons)"}
    assert len(names(asking(store, "viewer", show="everyone").rows("bill", **cut("user")))) == 7
    several = cut() | {"by": ("source", "user"), "tag": ("", "")}
    assert {row["name"].split("\x1f")[1] for row in one.rows("bill", **several)} == {"", "p1", "(5 other persons)"}
    assert one.rows("bill", **cut(user="p1"))
    with pytest.raises(ForbiddenError, match="five and more"):
        one.rows("bill", **cut(user="p2"))
    assert asking(store, "owner", show="everyone").rows("bill", **cut(user="p2"))


def test_answers_are_not_shared_with_those_who_may_not_see_them(store):
    every = asking(store, "owner", name="boss", show="everyone")
    everybody = names(every.rows("bill", **cut("user")))
    one = every.for_viewer(Viewer(name="p1", roles=parse_roles(["viewer:search"])))

    assert len(everybody) == 7
    assert every.share(("k",), lambda: "of all") == "of all"
    assert one.share(("k",), lambda: "of search") == "of search"
    with pytest.raises(ForbiddenError):
        one.rows("bill", **cut("user"))


def test_the_address_is_narrowed_to_the_team(store):
    reach = asking(store, "viewer:search editor:web").reach

    assert reach.narrow(Scope()).where == {"team": "search"}
    assert reach.narrow(Scope(where={"team": "web", "model": "x"})).where == {"team": "web", "model": "x"}
    with pytest.raises(ForbiddenError, match="'sales' is none of yours"):
        reach.narrow(Scope(where={"team": "sales"}))
    assert asking(store, "viewer").reach.narrow(Scope()).where == {}


@pytest.mark.parametrize(
    ("fields", "instance", "shown"),
    [
        ({"team": "search"}, (), True),
        ({"team": "web"}, (), False),
        ({}, (), False),
        ({"team": "*"}, ("search",), True),
        ({"team": "*"}, ("web",), False),
        ({"team": "search", "user": "*"}, ("p1",), True),
        ({"team": "search", "user": "*"}, ("p2",), False),
        ({"team": "*", "app": "*", "user": "*"}, ("search", "x", "p1"), True),
        ({"team": "*", "app": "*", "user": "*"}, ("search", "p1", "x"), False),
    ],
)
def test_sums_of_budgets_are_shown_by_team_and_person(store, fields, instance, shown):
    budget = Budget(name="b", unit=LimitUnit.USD, limit=1, window=parse_window("day", "UTC"), **fields)

    assert asking(store, "viewer:search").reach.shows_budget(budget, instance) is shown


def test_who_looks_at_others_by_name_is_on_record_once_an_hour(store):
    one = asking(store, "owner", name="boss", show="everyone")
    for _ in range(2):
        one.rows("bill", **cut("user"))
        one.rows("bill", **cut(user="p2"))
        one.rows("bill", **(cut() | {"by": ("source", "owner"), "tag": ("", "")}))
    asking(store, "owner", name="p2", show="everyone").rows("bill", **cut(user="p2"))
    asking(store, "owner", name="boss").rows("bill", **cut("user"))
    lines = [line for line in store.records(AUDIT_EVENTS) if line.kind == "access" and line.by in {"boss", "p2"}]

    assert {(line.by, line.subject) for line in lines} == {
        ("boss", "by user"),
        ("boss", "by owner"),
        ("boss", "user p2"),
    }
    assert len(lines) <= 6  # the hour may change between
