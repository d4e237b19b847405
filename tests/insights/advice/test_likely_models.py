import msgspec
import pytest

from modicum.insights.advice.call_kinds import UNKNOWN, CallKind
from modicum.insights.advice.likely_models import find_likely_models

DEAR = CallKind(
    provider="p",
    model="dear",
    agent="main",
    tools="reads",
    calls=100,
    conversations=50,
    cost_usd=None,
    calls_unpriced=0,
    share_of_cost=None,
    prompt_tokens=0,
    completion_tokens=0,
    cached_tokens=0,
    largest_call_tokens=0,
    tasks_with_outcome=100,
    tasks_reached=80,
    sources=[],
)


def other(model, reached, tasks=100, **more):
    return msgspec.structs.replace(DEAR, model=model, tasks_with_outcome=tasks, tasks_reached=reached, **more)


def test_a_model_that_did_as_well_on_such_tasks_is_likely_and_the_reason_has_both_shares():
    likely = find_likely_models(DEAR, [DEAR, other("cheap", 82), other("worse", 60)])

    assert likely == {
        "cheap": "82 of 100 tasks of this kind succeeded with it here, 80 of 100 with this model (-9 to +13 points); "
        "the tasks were not the same"
    }


@pytest.mark.parametrize(
    "not_enough",
    [other("few", 19, 19), other("subagents", 95, agent="subagent"), other("writers", 95, tools="writes")],
)
def test_few_tasks_and_those_of_another_kind_say_nothing(not_enough):
    assert not find_likely_models(DEAR, [DEAR, not_enough])


def test_a_kind_without_tools_seen_or_outcomes_is_compared_with_nothing():
    cheap = other("cheap", 100)

    assert not find_likely_models(other("dear", 5, 5), [cheap])
    assert not find_likely_models(msgspec.structs.replace(DEAR, tools=UNKNOWN), [other("cheap", 100, tools=UNKNOWN)])


def test_parts_of_one_models_tasks_are_summed():
    assert "40 of 40 tasks" in find_likely_models(DEAR, [other("cheap", 20, 20), other("cheap", 20, 20)])["cheap"]
