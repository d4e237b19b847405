import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.calls import Tier
from modicum.gateway.budgets import bounds
from modicum.gateway.budgets.bounds import AROUND_TOKENS, NoBound, survey_request
from modicum.metering.context_windows import context_window_tokens
from modicum.metering.tokens import count_tokens
from modicum.providers.dialects import DIALECTS
from modicum.providers.message_blocks import may_show_media

MESSAGES = [{"role": "user", "content": "What is the capital of France? " * 20}]
PATHS = {"openai-chat": "/v1/chat/completions", "anthropic": "/v1/messages", "openai-responses": "/v1/responses"}
PATHS |= {"openai-embeddings": "/v1/embeddings", "gemini": "/v1beta/models/gemini-2.5-flash:generateContent"}


def dialect_named(part):
    return next(dialect for name, dialect in DIALECTS.items() if part in name)


def survey(part="chat", model="gpt-4o-mini", provider="openai", raw=None, **body):
    path = next(path for name, path in PATHS.items() if part in name)
    sent = body if "contents" in body else {"model": model, "messages": MESSAGES, "max_tokens": 50} | body
    data = raw or json.dumps({name: value for name, value in sent.items() if value is not None}).encode()
    dialect = dialect_named(part)
    return survey_request(dialect, data, dialect.request(data, path), model, provider)


def test_a_plain_chat_is_bounded_by_its_count_and_max_tokens():
    bound = survey().bound
    own = count_tokens(MESSAGES[0]["content"], "gpt-4o-mini")

    assert own + AROUND_TOKENS <= bound.input_tokens <= own + AROUND_TOKENS + 40
    assert (bound.output_tokens, bound.tool_uses, bound.has_media) == (50, 0, False)


def test_where_the_tokenizer_is_not_public_it_may_be_twice_our_count():
    ours = survey().bound.input_tokens - AROUND_TOKENS
    theirs = survey("anthropic", "claude-sonnet-4-6", "anthropic").bound.input_tokens - AROUND_TOKENS

    assert 1.9 * ours <= theirs <= 2.1 * ours


def test_without_max_tokens_the_context_window_bounds_it_and_without_both_nothing():
    assert survey(max_tokens=None).bound.output_tokens == context_window_tokens("gpt-4o-mini", "openai")
    with pytest.raises(NoBound, match="set max_tokens"):
        survey(model="nobody-knows", max_tokens=None)


def test_every_choice_is_written():
    assert survey(n=4).bound.output_tokens == 200


def test_embeddings_write_nothing():
    sent = {"messages": None, "max_tokens": None, "input": "x"}

    assert survey("embeddings", "text-embedding-3-small", **sent).bound.output_tokens == 0


@pytest.mark.parametrize(
    "more",
    [
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]},
    ],
)
def test_media_and_files_may_fill_the_context_window(more):
    assert survey(**more).bound.input_tokens == context_window_tokens("gpt-4o-mini", "openai")


KINDS = ["text", "image", "image_url", "input-image", "document", "input_file", "tool_result", "custom_output", "x"]
LEAVES = st.one_of(st.sampled_from(["", "a text", "image", 1, None]), st.lists(st.just("t"), max_size=1))
PIECES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(KINDS),
                "role": st.sampled_from(["user", "assistant", "tool"]),
                "content": inner,
                "parts": inner,
                "text": inner,
                "source": inner,
                "image": inner,
                "inlineData": inner,
                "file_data": inner,
                "toolResult": inner,
            },
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=200)
@given(st.sampled_from([one for one in DIALECTS.values() if one.has_media_by_type]), PIECES, PIECES)
def test_requests_that_are_not_taken_apart_for_it_hold_no_media(dialect, messages, system):
    """Whoever says that a request shows none is never wrong."""
    request = dict.fromkeys(("messages", "input", "contents"), messages) | {"system": system, "tools": system}
    shows = any(not block.is_text for block in dialect.blocks_of(request))

    assert not shows or may_show_media(*bounds._names_and_types(request))


def test_most_requests_need_not_be_taken_apart():
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    assert not may_show_media(*bounds._names_and_types({"messages": MESSAGES, "tools": tools}))


def test_a_former_response_may_fill_it_too():
    sent = {"messages": None, "max_tokens": None, "input": "go on", "previous_response_id": "resp_1"}

    bound = survey("responses", "gpt-5", max_output_tokens=10, **sent).bound

    assert bound.input_tokens == context_window_tokens("gpt-5", "openai")


@pytest.mark.parametrize(
    ("dialect", "model", "more"),
    [
        ("chat", "gpt-4o-mini", {"web_search_options": {}}),
        ("responses", "gpt-5", {"tools": [{"type": "web_search"}], "input": "x", "messages": None}),
        ("anthropic", "claude-sonnet-4-6", {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
        ("anthropic", "claude-sonnet-4-6", {"mcp_servers": [{"type": "url", "url": "https://x"}]}),
        ("gemini", "gemini-2.5-flash", {"contents": [{"parts": [{"text": "x"}]}], "tools": [{"googleSearch": {}}]}),
    ],
)
def test_tools_that_the_provider_runs_as_often_as_it_likes_have_no_bound(dialect, model, more):
    with pytest.raises(NoBound, match="as often as it likes"):
        survey(dialect, model, "", **more)


def test_and_with_a_bound_each_use_counts():
    tool = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}

    bound = survey("anthropic", "claude-sonnet-4-6", "anthropic", tools=[tool]).bound

    assert (bound.tool_uses, bound.input_tokens) == (3, context_window_tokens("claude-sonnet-4-6", "anthropic"))


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}},
        {"name": "f", "input_schema": {"type": "object"}},
        {"type": "bash_20250124", "name": "bash"},
        {"functionDeclarations": [{"name": "f"}]},
    ],
)
def test_tools_of_the_caller_are_no_matter(tool):
    assert survey(tools=[tool]).bound.tool_uses == 0


@pytest.mark.parametrize(
    ("more", "tiers"),
    [
        ({}, {Tier.STANDARD, Tier.PRIORITY}),
        ({"service_tier": "auto"}, {Tier.STANDARD, Tier.PRIORITY}),
        ({"service_tier": "default"}, {Tier.STANDARD}),
        ({"service_tier": "standard_only"}, {Tier.STANDARD}),
        ({"service_tier": "flex"}, {Tier.STANDARD, Tier.FLEX}),
        ({"service_tier": "turbo"}, {Tier.STANDARD, Tier.PRIORITY, Tier.FAST, Tier.FLEX}),
        ({"service_tier": "default", "speed": "fast"}, {Tier.STANDARD, Tier.FAST}),
    ],
)
def test_the_lanes_in_which_it_may_be_served(more, tiers):
    assert survey(**more).tiers == tiers


def test_a_bound_that_comes_twice_is_the_larger_one():
    body = json.dumps({"model": "gpt-4o-mini", "messages": MESSAGES}).encode()[:-1]

    assert survey(raw=body + b', "max_tokens": 9000, "max_tokens": 1}').bound.output_tokens == 9000
    assert survey(raw=body + b', "max_tokens": 10, "n": 8, "n": 1}').bound.output_tokens == 80


def test_anthropic_caches_only_what_is_marked():
    marked = [{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]}]

    assert not survey("anthropic", "claude-sonnet-4-6", "anthropic").bound.may_cache
    assert survey("anthropic", "claude-sonnet-4-6", "anthropic", messages=marked).bound.may_cache
    assert survey().bound.may_cache


def test_a_survey_is_cheap_to_compare():
    assert survey() == survey()
    assert msgspec.structs.asdict(survey().bound)["makes_media"] is False
