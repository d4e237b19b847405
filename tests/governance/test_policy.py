import pytest

from modicum.calls import Owner
from modicum.governance.policy import (
    CallPolicy,
    Clause,
    OwnerClass,
    PlannedCall,
    PolicyLimit,
    PolicyRuling,
    decide_policy,
)

CALL = PlannedCall("gpt-4o-2024-08-06", "openai", "us", Owner("hr", "chat", "ann", "ci"), most_output_tokens=100)


def decide(call=CALL, **clause):
    return decide_policy(CallPolicy(clauses=(Clause(name="a", **clause),)), call)


@pytest.mark.parametrize(
    ("clause", "call", "limit"),
    [
        ({"models": ("claude-*",)}, CALL, PolicyLimit.MODELS),
        ({"models": ()}, CALL, PolicyLimit.MODELS),
        ({"not_models": ("gpt-4o",)}, CALL, PolicyLimit.NOT_MODELS),
        ({"providers": ("azure",)}, CALL, PolicyLimit.PROVIDERS),
        ({"regions": ("eu",)}, CALL, PolicyLimit.REGIONS),
        ({"regions": ("eu",)}, CALL._replace(region=""), PolicyLimit.REGIONS),
        ({"most_effort": "low"}, CALL._replace(effort="medium"), PolicyLimit.EFFORT),
        ({"most_effort": "max"}, CALL._replace(effort="colossal"), PolicyLimit.EFFORT),
        ({"most_thinking_tokens": 10}, CALL._replace(thinking_tokens=11), PolicyLimit.THINKING),
        ({"most_prompt_tokens": 10}, CALL._replace(prompt_tokens=11), PolicyLimit.PROMPT),
        ({"most_output_tokens": 99}, CALL, PolicyLimit.OUTPUT),
        ({"most_output_tokens": 99}, CALL._replace(most_output_tokens=None), PolicyLimit.OUTPUT),
    ],
)
def test_a_limit_that_is_broken_refuses_and_says_which(clause, call, limit):
    verdict = decide(call, **clause)

    assert (verdict.is_refusal, verdict.limit) == (True, limit)
    assert verdict.reason.startswith("the clause 'a' of the policy ")
    assert "gpt-4o-2024-08-06" not in verdict.reason


@pytest.mark.parametrize(
    ("clause", "call"),
    [
        ({"models": ("gpt-4o",)}, CALL),
        ({"providers": ("openai",), "regions": ("us",)}, CALL),
        ({"most_effort": "low"}, CALL),
        ({"most_effort": "low"}, CALL._replace(effort="low")),
        ({"most_prompt_tokens": 10}, CALL._replace(prompt_tokens=10)),
        ({"most_output_tokens": 100}, CALL),
        ({"models": (), "team": "ops"}, CALL),
        ({"models": (), "project": "x"}, CALL),
        ({"models": (), "model": "claude-*"}, CALL),
        ({"models": ("x",), "most_output_tokens": 1}, CALL._replace(model=None)),
    ],
)
def test_what_is_within_or_not_covered_is_admitted(clause, call):
    assert decide(call, **clause).ruling is PolicyRuling.ADMIT


@pytest.mark.parametrize(
    ("clause", "call", "ruling"),
    [
        ({"regions": ("eu",)}, CALL._replace(region=None), PolicyRuling.UNDECIDED),
        ({"most_effort": "low"}, CALL._replace(effort=None), PolicyRuling.UNDECIDED),
        ({"most_prompt_tokens": 1}, CALL._replace(prompt_tokens=None), PolicyRuling.UNDECIDED),
        ({"most_output_tokens": 100}, CALL._replace(is_past=True), PolicyRuling.UNDECIDED),
        ({"most_output_tokens": 99}, CALL._replace(is_past=True), PolicyRuling.REFUSE),
        ({"regions": ("eu",), "models": ()}, CALL._replace(region=None), PolicyRuling.REFUSE),
    ],
)
def test_what_nobody_knows_is_undecided_unless_something_else_refuses(clause, call, ruling):
    assert decide(call, **clause).ruling is ruling


def test_all_clauses_must_be_fulfilled_and_the_first_that_is_broken_is_named():
    clauses = Clause(name="a", models=("gpt-*",)), Clause(name="b", providers=()), Clause(name="c", models=())

    assert decide_policy(CallPolicy(clauses=clauses), CALL).clause.name == "b"


CLASSES = CallPolicy(
    clauses=(Clause(name="eu", data_class="personal", regions=("eu",)),),
    data_classes=("public", "internal", "personal", "secret"),
    unnamed_class="internal",
    owner_classes=(OwnerClass(data_class="personal", team="hr"),),
)


@pytest.mark.parametrize(
    ("owner", "named", "data_class"),
    [
        (Owner(), "", "internal"),
        (Owner(), "public", "public"),
        (Owner(), "personal", "personal"),
        (Owner(), "Personal", "secret"),
        (Owner("hr"), "", "personal"),
        (Owner("hr"), "public", "personal"),
        (Owner("hr"), "secret", "secret"),
    ],
)
def test_a_caller_may_say_a_more_sensitive_class_than_its_owners_and_never_a_less_sensitive_one(
    owner, named, data_class
):
    assert CLASSES.class_of(owner, "", named) == data_class


def test_without_a_class_for_unnamed_calls_they_count_as_the_most_sensitive():
    assert CallPolicy(data_classes=("public", "secret")).class_of(Owner(), "", "") == "secret"


def test_a_clause_on_a_class_covers_the_more_sensitive_ones_too():
    for named, refused in (("public", False), ("internal", False), ("personal", True), ("secret", True)):
        call = PlannedCall("m", "p", "us", data_class=named)
        assert decide_policy(CLASSES, call).is_refusal is refused
