"""Rules on live calls. The same toy rules run over a ledger in tests/insights/test_rule_replay.py."""

import json

import httpx2 as httpx
import pytest

from gateway.rig import CHAT
from modicum.calls import Basis, CallStatus
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.rule import NotDecidable, Rule
from modicum.optimizers.loop_guard import LOOP_NUDGE, LOOP_STOP
from modicum.optimizers.repeats import REPEATS
from optimizers.toy_rules import BROKEN, TOYS

CALL = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"q": "x"}'}}
TALK = {
    "model": "gpt-4o-mini",
    "messages": [
        {"role": "user", "content": "the task"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "found " * 200},
        {"role": "user", "content": "Thank you so much for all of this"},
    ],
}


@pytest.fixture
def ruled(fresh_rig):
    """Calls the gateway under these rules; what the provider got, and the record."""

    def call(*rules, body=TALK, path="/v1/chat/completions", **headers):
        pipeline = fresh_rig.gateway.pipeline
        pipeline.take_over(pipeline.in_force._replace(rules=rules))
        before = len(fresh_rig.records())
        reply = httpx.post(f"{fresh_rig.url}{path}", json=body, headers=fresh_rig.headers(**headers))
        assert reply.status_code == 200
        return json.loads(fresh_rig.provider.asked[-1][2]), fresh_rig.wait_for_records(before + 1)[-1]

    fresh_rig.call = call
    return fresh_rig


def test_the_toy_rules_change_what_goes_upstream_and_are_booked(ruled):
    sent, call = ruled.call(*TOYS)

    assert sent["messages"] == [TALK["messages"][0], {"role": "user", "content": "Thanks."}]
    assert [(edit.rule, edit.why) for edit in call.edits] == [
        ("toy.drop", "large search results"),
        ("toy.shorten", "thanks in one word"),
    ]
    assert all(edit.tokens_before > edit.tokens_after for edit in call.edits)
    assert {edit.basis for edit in call.edits} == {Basis.ESTIMATED}
    assert call.status is CallStatus.OK


def test_a_call_that_no_rule_wants_to_change_passes_byte_by_byte(ruled):
    ruled.call(*TOYS, body=CHAT)

    assert ruled.provider.asked[-1][2] == httpx.Request("POST", "http://x", json=CHAT).content


def test_a_rule_that_fails_is_counted_and_the_call_goes_on_as_it_came(ruled):
    sent, call = ruled.call(BROKEN)

    assert (sent, call.edits) == (TALK, ())
    assert 'stage="toy.broken"} 1.0' in ruled.gateway.parts.metrics.text().decode()


def test_rules_know_what_the_call_says_of_itself(ruled):
    seen = []

    def look(prompt, facts):
        seen.append(facts)
        return NO_CHANGE

    headers = {"x_modicum_task": "PR-12", "x_modicum_agent": "coder", "x_modicum_tag_step": "plan"}
    ruled.call(Rule("look", look), body=CHAT | {"max_tokens": 7, "n": 2}, **headers)

    (facts,) = seen
    assert (facts.model, facts.dialect, facts.streams) == ("gpt-4o-mini", "openai-chat", False)
    assert (facts.task, facts.agent, facts.tags["step"]) == ("PR-12", "coder", "plan")
    assert (facts.owner.key, facts.owner.team) == ("ci", "platform")
    assert (facts.most_output_tokens, facts.choices_count) == (7, 2)
    assert (facts.turn, facts.cached_tokens, facts.budget_left_usd) == (0, None, None)


def test_another_model_is_asked_where_it_may_be(ruled, capfd):
    def ask(model):
        return Rule("toy.model", lambda prompt, facts: Change(model=model, why=f"{facts.model} to {model}"))  # noqa: ARG005

    sent, call = ruled.call(ask("gpt-4o"))
    assert (sent["model"], call.edits[0].tokens_before) == ("gpt-4o", None)
    for _ in range(2):
        sent, call = ruled.call(ask("nobody-serves-this"))
        assert (sent["model"], call.edits) == ("gpt-4o-mini", ())

    logged = [line for line in capfd.readouterr().err.splitlines() if "rule_not_applied" in line]
    assert [json.loads(line)["model"] for line in logged] == ["nobody-serves-this"]  # told once


def test_a_feature_that_fails_leaves_the_call_to_the_others(ruled):
    class Source:
        name = "feature"

        def facts(self, exchange):
            raise RuntimeError(exchange.number)

    pipeline = ruled.gateway.pipeline
    pipeline.take_over(pipeline.in_force._replace(sources=(Source(),)))
    sent, _ = ruled.call(*TOYS)

    assert len(sent["messages"]) == 2
    assert 'stage="feature"} 1.0' in ruled.gateway.parts.metrics.text().decode()


def test_calls_of_an_api_that_is_not_taken_apart_pass_as_they_came(ruled):
    body = {"model": "text-embedding-3-small", "input": "Thank you so much"}
    sent, call = ruled.call(*TOYS, body=body, path="/v1/embeddings", x_fixture="openai-embeddings/vectors.json")

    assert (sent, call.edits) == (body, ())
    assert 'modicum_rule_not_decidable_total{rule="toy.shorten"} 1.0' in ruled.gateway.parts.metrics.text().decode()


def test_rules_change_a_request_to_gemini(ruled):
    body = {"contents": [{"role": "user", "parts": [{"text": "Thank you so much"}]}]}
    path = "/v1beta/models/gemini-2.5-flash:generateContent"
    sent, call = ruled.call(*TOYS, body=body, path=path, x_fixture="gemini-generate/cached.json")

    assert sent == {"contents": [{"role": "user", "parts": [{"text": "Thanks."}]}]}
    assert [(edit.rule, edit.why) for edit in call.edits] == [("toy.shorten", "thanks in one word")]


def test_rules_know_rates_turn_and_cache_of_the_conversation(ruled):
    seen = []

    def look(prompt, facts):
        seen.append((facts.turn, facts.cached_tokens, facts.rates("gpt-4o-mini")))
        return NO_CHANGE

    messages = [{"role": "user", "content": "the first task of all"}]
    for turn in range(3):
        _, call = ruled.call(Rule("look", look), body=CHAT | {"messages": list(messages)})
        messages += [{"role": "assistant", "content": f"step {turn}"}, {"role": "user", "content": f"on {turn}"}]
        for steps in ruled.gateway.parts.rates._steps.values():
            steps.result(30)
    cached = call.usage.cache_read + call.usage.cache_write_5m + call.usage.cache_write_1h

    assert [turn for turn, _, _ in seen] == [0, 1, 2]
    assert [known for _, known, _ in seen] == [None, cached, cached]
    assert seen[-1][2].output_visible > seen[-1][2].input_uncached > 0


def test_what_a_rule_cannot_decide_is_counted_by_rule_and_the_call_goes_on(ruled):
    def undecided(prompt, facts):
        return NotDecidable("the budget is not known")

    for _ in range(2):
        sent, call = ruled.call(Rule("toy.budget", undecided))

    assert (sent, call.edits) == (TALK, ())
    assert 'modicum_rule_not_decidable_total{rule="toy.budget"} 2.0' in ruled.gateway.parts.metrics.text().decode()


def test_several_workers_do_not_know_where_a_conversation_stands(ruled):
    seen = []
    ruled.gateway.pipeline._optimizer._turns = None
    ruled.call(Rule("look", lambda _, facts: seen.append(facts.turn) or NO_CHANGE), body=CHAT)

    assert seen == [None]


NOTHING_CACHED = "openai-chat/tool_calls.json"
READ = {"id": "c", "type": "function", "function": {"name": "read_file", "arguments": '{"path": "shop.py"}'}}
FILE = "\n".join(f"def total_{number}(order): return order.price * {number}" for number in range(30))


def reads(count, tool="read_file", result=FILE):
    """An agent that reads the same again and again."""
    messages = [{"role": "user", "content": "mend the totals"}]
    for number in range(count):
        call = READ | {"id": f"c{number}", "function": READ["function"] | {"name": tool}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "content": result})
    return {"model": "gpt-4o-mini", "messages": messages}


def test_a_second_read_is_a_reference_the_third_and_fourth_say_so_and_the_fifth_is_not_shown(ruled):
    shown = []
    for count in range(1, 7):
        sent, call = ruled.call(LOOP_STOP, LOOP_NUDGE, REPEATS, body=reads(count), x_fixture=NOTHING_CACHED)
        now = [message["content"] for message in sent["messages"] if message["role"] == "tool"]
        assert now[:-1] == shown  # what was sent stays: the provider's cache is kept
        shown = now

    first, second, *nudges, stopped, still = shown
    assert first == FILE
    assert second.startswith("[modicum: unchanged, the same text as tool result 1 above")
    assert [f"{number} times in a row" in nudge for number, nudge in zip((3, 4), nudges, strict=True)] == [True, True]
    assert all("Nothing has changed: try something else" in nudge for nudge in nudges)
    assert all("stopped: the same call of read_file" in text and FILE[:40] not in text for text in (stopped, still))
    assert [edit.rule for edit in call.edits] == ["guard.loop_stop", "guard.loop_nudge", "content.repeats"]


def test_a_tool_by_which_one_waits_is_asked_as_often_as_it_takes(ruled):
    body = reads(6, tool="get_job_status", result="running")

    assert ruled.call(LOOP_STOP, LOOP_NUDGE, REPEATS, body=body)[0] == body
