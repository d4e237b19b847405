"""`from modicum import optimize`: the gateway's rules on lists of messages."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import modicum
from modicum import optimize
from modicum.calls import UserError
from modicum.calls.facts import Facts
from modicum.sdk.optimizing import HELD_OUT, api_at, api_of, choose_rules, optimize_request

ROWS = json.dumps([{"id": number, "name": f"tide {number}", "metres": number / 10} for number in range(40)], indent=2)
ASKED = {"role": "user", "content": "which tides?"}
CHAT = [
    ASKED,
    {
        "role": "assistant",
        "tool_calls": [{"id": "a", "type": "function", "function": {"name": "list_tides", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "a", "content": ROWS},
]
ANTHROPIC = [
    ASKED,
    {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "list_tides", "input": {}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": ROWS}]},
]
RESPONSES = [
    ASKED,
    {"type": "function_call", "call_id": "a", "name": "list_tides", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "a", "output": ROWS},
]
EDITS_FILES = {"name": "edit_file", "input_schema": {"type": "object"}}


def result_text(message):
    content = message.get("content", message.get("output"))
    return content[0]["content"] if isinstance(content, list) else content


@pytest.mark.parametrize("messages", [CHAT, ANTHROPIC, RESPONSES], ids=["chat", "anthropic", "responses"])
def test_results_of_tools_are_the_same_data_in_fewer_characters(messages):
    before = json.dumps(messages)

    result = optimize(messages)

    shorter = result_text(result.messages[2])
    assert len(shorter) < len(ROWS)
    assert json.loads(shorter) == json.loads(ROWS)
    assert json.dumps(messages) == before
    assert result.messages[0] is messages[0]
    assert [one.rule for one in result.applied] == ["content.json_minify"]
    assert result.tokens_removed > 100


def test_every_rule_that_did_nothing_says_why():
    result = optimize(CHAT, on="content.cut")

    why = {one.rule: one.why for one in result.idle}
    assert "its owner has to choose it" in why["content.json_tables"]
    assert why["content.cut"] == "it found nothing to change"
    assert "more of a request than messages" in why["cache.breakpoints"]
    assert {*why, "content.json_minify"} == {rule.name for rule in choose_rules().rules}


def test_the_saving_has_dollars_where_a_price_is_known_and_nobody_invents_one():
    known, unknown = optimize(ANTHROPIC, model="claude-opus-4-5"), optimize(ANTHROPIC, model="no-such-model-7")

    cache_read = Decimal("0.0000005")  # nothing is known of the cache, so the least that it can be
    assert known.expected_usd == known.tokens_removed * cache_read
    assert unknown.is_changed
    assert unknown.expected_usd is None
    assert optimize(ANTHROPIC, off="all").expected_usd == 0


def test_a_tool_that_changes_files_keeps_results_as_they_are():
    assert not optimize(ANTHROPIC, tools=[EDITS_FILES]).is_changed


def test_rules_are_chosen_by_name_family_or_all_and_unknown_ones_are_named():
    assert "columns of this table" in result_text(optimize(ANTHROPIC, on=["content"]).messages[2])
    assert not optimize(ANTHROPIC, on=["content"], off=["all"]).is_changed
    with pytest.raises(
        UserError, match=r"there is no rule 'content.magic'; accepted are all, cache, .* content.base64"
    ):
        optimize(ANTHROPIC, on=["content.magic"])
    with pytest.raises(
        UserError, match="there is no api 'chat'; accepted are openai-chat, openai-responses, anthropic-messages"
    ):
        optimize(ANTHROPIC, api="chat")


@pytest.mark.parametrize("messages", ["which tides?", b"which tides?", ASKED, None])
def test_what_is_no_list_of_messages_is_refused_and_not_taken_apart(messages):
    with pytest.raises(UserError, match=rf"a client's create takes, and this is {type(messages).__name__}; one text"):
        optimize(messages)


def test_a_reply_of_a_client_may_stand_among_the_messages():
    anthropic = pytest.importorskip("anthropic")
    block = anthropic.types.ToolUseBlock(id="a", input={}, name="list_tides", type="tool_use")
    messages = [ASKED, {"role": "assistant", "content": [block]}, ANTHROPIC[2]]

    result = optimize(messages)

    assert result.is_changed
    assert result.messages[1] is messages[1]


def test_what_is_no_json_stays_and_says_so():
    messages = [*CHAT, {"role": "user", "content": object()}]

    result = optimize(messages)

    assert result.messages == messages
    why = {one.rule: one.why for one in result.idle}
    assert "cannot be written as JSON" in why["content.json_minify"]


GEMINI = [
    {"role": "user", "parts": [{"text": "which tides?"}]},
    {"role": "model", "parts": [{"functionCall": {"name": "list_tides", "args": {}}}]},
]


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("openai-chat", CHAT),
        ("openai-responses", RESPONSES),
        ("anthropic-messages", ANTHROPIC),
        ("gemini-generate", GEMINI),
        ("openai-chat", [ASKED]),
        ("openai-chat", [object()]),
        ("anthropic-messages", [*ANTHROPIC, CHAT[2]]),
    ],
)
def test_an_api_is_recognised_by_calls_of_tools_and_their_results(name, messages):
    assert api_of(messages) == name


def test_tasks_are_held_out_of_chosen_rules_by_a_keyed_lot():
    choice = choose_rules(on=["content"], hold_out=0.5, hold_out_key=b"key")
    fields = {"messages": ANTHROPIC}
    arms = {}
    for number in range(200):
        result = optimize_request(fields, "anthropic-messages", choice, task=f"T-{number}")
        arms[number] = [one.rule for one in result.idle if one.why == HELD_OUT]
        again = optimize_request(fields, "anthropic-messages", choice, task=f"T-{number}")
        assert [one.rule for one in again.idle if one.why == HELD_OUT] == arms[number]

    assert 60 < sum("content.json_tables" in names for names in arms.values()) < 140
    with pytest.raises(UserError, match="hold_out must be a share"):
        choose_rules(hold_out=1.0)


def test_who_knows_more_of_the_call_says_so():
    facts = Facts(at=datetime(2026, 11, 1, tzinfo=UTC), model="claude-opus-4-5", rules_before=frozenset())

    assert (
        optimize(ANTHROPIC, facts=facts).applied == ()
    )  # the result stands in the cache as it is: no price, no change


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
odd_message = json_like | st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system", ""]), "content": json_like},
    optional={"tool_calls": json_like, "tool_call_id": json_like, "type": st.sampled_from(["function_call", "x"])},
)


@settings(max_examples=60, deadline=None)
@given(st.lists(odd_message, max_size=4))
def test_malformed_messages_stay_or_are_shortened_and_nothing_breaks(messages):
    mixed = [*messages, *ANTHROPIC, *CHAT]

    result = optimize(mixed, on="all")

    assert len(result.messages) == len(mixed)
    assert len(json.dumps(result.messages)) <= len(json.dumps(mixed))
    assert optimize(result.messages, on="all").messages == result.messages


def test_importing_the_package_loads_nothing_of_it():
    code = "import sys, modicum; print(sorted(name for name in sys.modules if name.startswith('modicum')))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert shown.strip() == "['modicum']"
    with pytest.raises(AttributeError, match="no attribute 'optimise'"):
        _ = modicum.optimise
    assert "optimize" in dir(modicum)


def test_the_path_of_a_client_says_which_api_it_is():
    paths = {"/chat/completions": "openai-chat", "/responses": "openai-responses", "/v1/messages": "anthropic-messages"}

    assert {path: api_at(path) for path in paths} == paths
    assert [api_at(path) for path in ("/embeddings", "/v1/messages/count_tokens", "")] == ["", "", ""]
