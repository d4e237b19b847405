import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from modicum.calls import BUCKETS
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt
from modicum.calls.rates import Rates
from modicum.calls.rule import NotDecidable
from modicum.routing.learners.by_name import make_learner
from modicum.routing.rule import cache_loss_usd, route_rule
from modicum.routing.training import train_router
from modicum.routing.weights import decode_router, encode_router
from modicum.sdk.rules import apply_rules
from routing_tables import known_table, stepped_table

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
CALM, FAILED = False, True
EASY, HARD = "name the capital of france and apples", "prove a lemma about rivers and lamps"


@pytest.fixture(scope="module")
def rule():
    router = train_router(
        known_table(600), make_learner("linear"), "usd", source="", today=date(2026, 11, 1), holds_days=90, loss=0.01
    ).router
    return route_rule("mine", router, "dear*")


def routed(rule, *messages, **facts):
    body = json.dumps({"model": "dear", "messages": list(messages)}).encode()
    return apply_rules("openai-chat", body, Facts(at=NOW, model="dear", **facts), [rule])


def rates_of(uncached, read):
    return Rates(
        **{field: Decimal(0) for field in BUCKETS} | {"input_uncached": Decimal(uncached), "cache_read": Decimal(read)}
    )


def user(text):
    return {"role": "user", "content": text}


def failed_tools(count):
    for number in range(count):
        call = {"id": f"c{number}", "type": "function", "function": {"name": "run", "arguments": "{}"}}
        yield {"role": "assistant", "content": None, "tool_calls": [call]}
        yield {"role": "tool", "tool_call_id": f"c{number}", "content": "error"}


def test_the_library_routes_as_the_gateway_does(rule):
    easy, hard = routed(rule, user(EASY)), routed(rule, user(HARD))

    assert (easy.model, hard.model) == ("cheap", "dear")
    assert easy.decisions[0].change.why.startswith("route mine: worth most")
    assert not hard.decisions


def test_a_conversation_stays_where_its_first_message_sent_it(rule):
    later = routed(rule, user(EASY), {"role": "assistant", "content": "Paris"}, user(HARD))

    assert later.model == "cheap"


def test_calls_for_other_models_and_keys_without_the_model_are_left_alone(rule):
    body = json.dumps({"model": "other", "messages": [user(EASY)]}).encode()

    assert apply_rules("openai-chat", body, Facts(at=NOW, model="other"), [rule]).model == "other"
    assert routed(rule, user(EASY), allowed_models=("dear",)).model == "dear"
    assert routed(rule, user(EASY), allowed_models=("nothing",)).model == "dear"


def test_a_prompt_that_nobody_took_apart_is_not_decidable(rule):
    assert isinstance(rule.decide(Prompt(None, "why"), Facts(at=NOW, model="dear")), NotDecidable)


def test_tools_that_failed_bring_the_best_model_back():
    body = {
        "model": "dear",
        "max_tokens": 9,
        "messages": [
            user(EASY),
            *(
                message
                for number in range(3)
                for message in (
                    {
                        "role": "assistant",
                        "content": [{"type": "tool_use", "id": f"t{number}", "name": "run", "input": {}}],
                    },
                    {
                        "role": "user",
                        "content": [
                            {"type": "tool_result", "tool_use_id": f"t{number}", "content": "x", "is_error": True}
                        ],
                    },
                )
            ),
        ],
    }
    router = train_router(
        known_table(600), make_learner("linear"), "usd", source="", today=date(2026, 11, 1), holds_days=90, loss=0.01
    ).router
    from_cheap = route_rule("mine", router, "*")

    failing = apply_rules("anthropic-messages", json.dumps(body).encode(), Facts(at=NOW, model="start"), [from_cheap])
    body["messages"] = body["messages"][:3]
    calm = apply_rules("anthropic-messages", json.dumps(body).encode(), Facts(at=NOW, model="start"), [from_cheap])

    assert (calm.model, failing.model) == ("cheap", "dear")
    assert "3 tools failed" in failing.decisions[0].change.why


def test_a_lost_cache_is_priced_at_the_days_rates():
    rates = {
        "cheap": rates_of("1e-6", "1e-7"),
        "dear": rates_of("5e-6", "5e-7"),
    }
    facts = Facts(at=NOW, model="cheap", cached_tokens=100_000, rates=rates.get)

    assert cache_loss_usd(facts, "cheap", "dear") == pytest.approx(0.49)
    assert cache_loss_usd(facts, "cheap", "unknown") is None
    assert cache_loss_usd(Facts(at=NOW, model="cheap"), "cheap", "dear") is None


def stage_rule():
    router = train_router(
        stepped_table(300), make_learner("linear"), "usd", source="", today=date(2026, 11, 1), holds_days=90, loss=0.05
    ).router
    return route_rule("mine", decode_router(encode_router(router), "r"), "dear*")


def anthropic_turns(failures):
    for number, failed in enumerate(failures):
        use = {"type": "tool_use", "id": f"t{number}", "name": "Read", "input": {}}
        result = {"type": "tool_result", "tool_use_id": f"t{number}", "content": "x", "is_error": failed}
        yield {"role": "assistant", "content": [use]}
        yield {"role": "user", "content": [result]}


def test_stages_that_were_learned_change_the_model_at_the_days_price_and_alike_in_every_process():
    rates = {"cheap": rates_of("1e-9", "1e-10"), "dear": rates_of("5e-9", "5e-10")}.get
    rule = stage_rule()

    def model_after(*failures, **facts):
        body = {"model": "dear", "max_tokens": 9, "messages": [user("name the capital of"), *anthropic_turns(failures)]}
        at = Facts(at=NOW, model="dear", **facts)
        return apply_rules("anthropic-messages", json.dumps(body).encode(), at, [rule])

    assert model_after(rates=rates).model == model_after(CALM, CALM, rates=rates).model == "cheap"
    assert model_after(FAILED, FAILED, rates=rates).model == "dear"
    assert model_after(FAILED, FAILED).model == "cheap", "what nobody can price is not done"
    dear_to_leave = {"cheap": rates_of("1", "0"), "dear": rates_of("9", "0")}.get
    assert model_after(FAILED, FAILED, rates=dear_to_leave).model == "cheap"
