"""A policy through the whole gateway, on every way that a call may take."""

import json

import httpx2 as httpx
import pytest

from gateway.policies.policy_rig import policy_settings, refusal, under_policy
from gateway.resilience.failing_rig import Fault, error
from gateway.warming.warm_rig import warm_rig
from modicum.calls.change import Change
from modicum.calls.rule import Rule
from modicum.governance.policy import NO_CLAUSES
from modicum.settings import policy_of

TWO = {"main": {"models": ("gpt-*",)}, "backup": {"models": ("none",), "provider": "azure", "region": "eu"}}
CLASSES = {"data_classes": ["public", "personal"], "unnamed_class": "public"}
PERSONAL = {"x-modicum-tag-data_class": "personal"}


@pytest.mark.parametrize(
    ("clause", "body", "why"),
    [
        ({"models": ["claude-*"]}, {}, "does not allow this model; it allows claude-*"),
        ({"not_models": ["gpt-4o-mini"]}, {}, "forbids this model"),
        ({"providers": ["azure"]}, {}, "does not allow this model's provider; it allows azure"),
        ({"regions": ["eu"]}, {}, "does not allow this model's region; it allows eu"),
        ({"most_effort": "low"}, {"reasoning_effort": "high"}, "a reasoning effort of low at most"),
        ({"most_thinking_tokens": 9}, {"thinking": {"budget_tokens": 10}}, "9 tokens of thinking at most"),
        ({"most_prompt_tokens": 20}, {"messages": [{"role": "user", "content": "a b c " * 30}]}, "20 prompt tokens"),
        ({"most_output_tokens": 9}, {}, "a bound of at most 9 tokens on the reply"),
        ({"models": ["gpt-4o-mini"]}, {"models": ["gpt-4o"]}, "does not allow this model"),
        ({"models": [], "team": "platform"}, {}, "it allows none at all"),
    ],
)
def test_a_call_that_a_clause_forbids_is_refused_before_it_is_sent(tmp_path, clause, body, why):
    with under_policy(tmp_path, clause) as rig:
        message = refusal(rig.chat(**body))
        rig.take_over()
        assert rig.chat(**body).status_code == 200

    assert message.startswith("the clause 'only' of the policy ")
    assert why in message
    assert "policy.toml" in message
    assert rig.calls_at == ["main"]


@pytest.mark.parametrize(
    "clause",
    [
        {"models": ["gpt-4o-*"], "providers": ["openai"], "most_effort": "low", "most_prompt_tokens": 20},
        {"models": [], "team": "research"},
        {"most_output_tokens": 10},
    ],
)
def test_a_call_within_the_policy_goes_upstream_as_it_came(tmp_path, clause):
    with under_policy(tmp_path, clause) as rig:
        assert rig.chat().status_code == 200

    assert rig.calls_at == ["main"]


def test_data_classes_choose_the_clauses_and_a_word_that_is_none_counts_as_the_most_sensitive(tmp_path):
    clause = {"data_class": "personal", "regions": ["eu"]}
    with under_policy(tmp_path, clause, policy=CLASSES) as rig:
        assert rig.chat().status_code == 200
        refusal(rig.chat(headers=PERSONAL))
        refusal(rig.chat(headers={"x-modicum-tag-data_class": "persnal"}))
        rig.take_over(clause, **CLASSES, owner_class=[{"team": "platform", "data_class": "personal"}])
        refusal(rig.chat(headers={"x-modicum-tag-data_class": "public"}))


def test_a_fallback_goes_nowhere_that_the_policy_forbids(tmp_path):
    policies = {"fallbacks": ("backup/gpt-4o-mini", "third/gpt-4o-mini")}
    more = TWO | {"third": {"models": ("none",)}}
    with under_policy(tmp_path, {"providers": ["openai"]}, policies=[policies], **more) as rig:
        rig.script["main"] = [error(500)]
        assert rig.chat().status_code == 200

    assert rig.calls_at == ["main", "third"]


def test_a_slow_call_is_sent_a_second_time_only_where_the_policy_allows(tmp_path):
    policies = {"hedge_after_s": 0.05, "fallbacks": ("backup/gpt-4o-mini", "third/gpt-4o-mini")}
    more = TWO | {"third": {"models": ("none",)}}
    with under_policy(tmp_path, {"providers": ["openai"]}, policies=[policies], **more) as rig:
        rig.script["main"] = [Fault("silent")]
        assert rig.chat().status_code == 200

    assert (len(rig.calls_at), "backup" in rig.calls_at) == (2, False)


def test_where_no_fallback_is_allowed_the_failure_is_the_answer(tmp_path):
    with under_policy(tmp_path, {"not_models": ["gpt-4o"]}, policies=[{"fallbacks": ("backup/gpt-4o",)}], **TWO) as rig:
        rig.script["main"] = [error(500)]
        assert rig.chat().status_code == 500

    assert rig.calls_at == ["main"]


def test_a_call_that_its_own_way_forbids_is_not_saved_by_a_fallback(tmp_path):
    policies = {"fallbacks": ("backup/gpt-4o-mini",)}
    with under_policy(tmp_path, {"regions": ["eu"]}, policies=[policies], **TWO) as rig:
        refusal(rig.chat())

    assert rig.calls_at == []


def test_what_was_learned_cannot_send_a_call_where_the_policy_forbids(tmp_path):
    router = Rule("route.learned", lambda prompt, facts: Change(model="gpt-4o", why="it is better"))  # noqa: ARG005
    with under_policy(tmp_path, {"not_models": ["gpt-4o"]}, rules=(router,)) as rig:
        assert rig.chat().status_code == 200
        rig.take_over()
        assert rig.chat().status_code == 200

    assert [request["model"] for request in rig.asked] == ["gpt-4o-mini", "gpt-4o"]


def test_an_effort_that_a_rule_writes_is_looked_at_before_the_call_is_sent(tmp_path):
    rule = Rule("more", lambda prompt, facts: Change(effort="high", why="it thinks more"))  # noqa: ARG005
    with under_policy(tmp_path, {"most_effort": "low"}, rules=(rule,)) as rig:
        refusal(rig.chat())

    assert rig.calls_at == []


def test_a_budget_sends_no_call_to_a_cheaper_model_that_the_policy_forbids(tmp_path):
    budget = {"limit_calls": 10, "at_limit": "downgrade", "downgrade_to": "gpt-4.1-nano", "downgrade_from": 0.0}
    with under_policy(tmp_path, {"models": ["gpt-4o*"]}, budgets=[budget]) as rig:
        reply = rig.chat()

    assert reply.status_code in {402, 403, 429}
    assert "the clause 'only' of the policy does not allow this model" in reply.json()["error"]["message"]
    assert rig.calls_at == []


def test_an_alias_counts_as_the_model_that_it_stands_for(tmp_path):
    with under_policy(tmp_path, {"models": ["fast"]}, models={"fast": "main/gpt-4o-mini"}) as rig:
        refusal(rig.chat(model="fast"))


def test_a_second_model_in_the_body_does_not_pass_a_policy_on_models(tmp_path):
    body = b'{"model": "gpt-4o", "messages": [], "max_tokens": 5, "model": "gpt-4o-mini"}'
    with under_policy(tmp_path, {"models": ["gpt-4o-mini"]}) as rig:
        reply = httpx.post(f"{rig.url}/v1/chat/completions", content=body, headers=rig.headers())

    assert reply.status_code == 200
    assert rig.provider.asked[0][2].count(b'"model"') == 1
    assert rig.asked[0]["model"] == "gpt-4o-mini"


@pytest.mark.parametrize(
    "clause",
    [{"providers": ["openai"]}, {"not_models": ["claude-*"]}, {"most_effort": "low"}, {"most_output_tokens": 9}],
)
def test_a_call_that_is_translated_for_another_api_goes_nowhere_that_the_policy_forbids(tmp_path, clause):
    upstream = {"main": {"models": ("claude-*",), "speaks": "anthropic", "provider": "anthropic"}}
    upstream["main"] |= {"own_keys": False, "key": ""}
    with under_policy(tmp_path, clause, **upstream) as rig:
        refusal(rig.chat(model="claude-haiku-4-5", reasoning_effort="high"))
        assert rig.calls_at == []
        rig.take_over()
        assert rig.chat(model="claude-haiku-4-5").json()["choices"][0]["message"]["content"] == "Paris"

    assert rig.calls_at == ["main"]


def test_a_token_count_sends_no_text_where_the_policy_forbids(tmp_path):
    upstream = {"main": {"models": ("claude-*",), "speaks": "anthropic", "provider": "anthropic"}}
    body = {"model": "claude-sonnet-4-6", "messages": [{"role": "user", "content": "hello"}]}
    with under_policy(tmp_path, {"providers": ["aws"]}, **upstream) as rig:
        reply = httpx.post(f"{rig.url}/v1/messages/count_tokens", json=body, headers=rig.headers())

    assert reply.status_code == 403
    assert "does not allow this model's provider" in reply.text
    assert rig.provider.asked == []


def test_pings_end_where_the_policy_forbids_them(tmp_path):
    with warm_rig(tmp_path) as warm:
        call = warm.call("hello")
        policies = warm.rig.gateway.parts.policies
        policies.take_over(policy_of(policy_settings({"not_models": ["claude-*"]})))
        warm.ping(275, call)
        assert len(warm.mock.asked) == 1
        assert warm.keeper.conversations == 0

        policies.take_over(NO_CLAUSES)
        again = warm.call("hello")
        assert warm.ping(275, again) == 1


def test_a_reload_takes_a_policy_over_and_forgets_it(tmp_path):
    with under_policy(tmp_path) as rig:
        assert rig.chat().status_code == 200
        rig.take_over({"models": []})
        refusal(rig.chat())
        rig.take_over({"models": ["gpt-*"]})
        assert rig.chat().status_code == 200


def test_a_refused_call_holds_nothing_of_its_budget(tmp_path):
    with under_policy(tmp_path, {"models": []}, budgets=[{"limit_calls": 1}]) as rig:
        refusal(rig.chat())
        refusal(rig.chat())
        assert rig.spent() == rig.reserved() == 0


def test_a_body_that_is_no_json_is_still_a_bad_request(tmp_path):
    with under_policy(tmp_path, {"most_prompt_tokens": 1, "most_effort": "low", "models": ["gpt-*"]}) as rig:
        deep = b'{"model": "gpt-4o-mini", "messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        for body in (b"{", deep, json.dumps({"model": 7}).encode()):
            reply = httpx.post(f"{rig.url}/v1/chat/completions", content=body, headers=rig.headers())
            assert reply.status_code in {400, 403}, reply.text

    assert rig.calls_at == []
