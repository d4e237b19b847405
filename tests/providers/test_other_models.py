import json

import pytest

from modicum.providers.facts import DialectError
from modicum.providers.other_models import other_models

TOOL = {
    "type": "function",
    "function": {"name": "f", "parameters": {"properties": {"model": {"type": "string", "enum": ["gpt-5"]}}}},
}


def named(**fields):
    return [model for _, model in other_models(json.dumps({"model": "mine"} | fields).encode())]


@pytest.mark.parametrize(
    "fields",
    [
        {"models": ["theirs"]},
        {"Models": ["theirs"]},
        {"models": "theirs"},
        {"fallbacks": ["theirs"]},
        {"fallbacks": [{"model": "theirs", "max_tokens": 5}]},
        {"fallbacks": [{"mine": ["theirs"]}]},
        {"fallback": "theirs"},
        {"context_window_fallbacks": [{"mine": ["theirs"]}]},
        {"context_window_fallback_dict": {"mine": "theirs"}},
        {"fallback_model": "theirs"},
        {"fallbackModels": ["theirs"]},
        {"tools": [{"type": "advisor_20260301", "name": "advisor", "model": "theirs"}]},
        {"tools": [{"type": "image_generation", "model": "theirs"}]},
        {"tools": [{"type": "openrouter:subagent", "parameters": {"model": "theirs"}}]},
        {"tools": [{"type": "namespace", "tools": [{"type": "advisor", "model": "theirs"}]}]},
        {"plugins": [{"id": "fusion", "analysis_models": ["theirs"]}]},
        {"extra_body": {"models": ["theirs"]}},
        {"providerOptions": {"gateway": {"models": ["theirs"]}}},
        {"compound_custom": {"models": {"reasoning_model": "theirs"}}},
        {"targets": [{"override_params": {"model": "theirs"}}]},
        {"preset": "theirs"},
        {"deployment_id": "theirs"},
        {"generateContentRequest": {"model": "theirs", "contents": []}},
        {"tools": [{"a": {"b": [[{"model_id": "theirs"}]]}}]},
    ],
)
def test_a_model_is_found_wherever_one_may_be_named(fields):
    assert named(**fields) == ["theirs"]


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": [{"role": "user", "content": [{"type": "tool_use", "input": {"model": "gpt-5"}}]}]},
        {"input": [{"type": "function_call", "arguments": {"model": "gpt-5"}}]},
        {"contents": [{"parts": [{"functionCall": {"args": {"model": "gpt-5"}}}]}]},
        {"tools": [TOOL]},
        {"tools": [{"name": "f", "input_schema": {"properties": {"model": {"type": "string"}}}}]},
        {"tools": [{"type": "function", "name": "f", "parameters": {"properties": {"model": {"default": "x"}}}}]},
        {"tools": [{"functionDeclarations": [{"name": "f", "parameters": {"properties": {"model": {"a": "x"}}}}]}]},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"properties": {"model": {"a": "x"}}}}}},
        {"text": {"format": {"type": "json_schema", "schema": {"properties": {"models": {"a": "x"}}}}}},
        {"metadata": {"model": "of a car"}},
        {"modalities": ["text"], "provider": {"allow_fallbacks": True}, "route": "fallback"},
        {"plugins": [{"id": "web", "engine": "exa"}]},
        {"system": "the model is a car"},
    ],
)
def test_what_is_said_to_the_model_names_none(fields):
    assert named(**fields) == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"mine","tools":[{"type":"x","model":"theirs","model":"mine"}]}',
        b'{"model":"mine","tools":[{"type":"x","MODEL":"theirs"}]}',
        rb'{"model":"mine","tools":[{"type":"x","\u006dodel":"theirs"}]}',
        rb'{"model":"mine","\u006dodels":["theirs"]}',
        rb'{"model":"mine","tools":[{"type":"x","m\u006f\u0064el":"theirs"}]}',
        b'{"model":"mine","Model":"theirs"}',
        b'{"model":"mine","tools":[{"type":"function","type":"x","parameters":{"model":"theirs"}}]}',
    ],
)
def test_a_name_that_is_hidden_is_found(body):
    assert "theirs" in [model for _, model in other_models(body)]


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"x":' + b"[" * 100_000 + b'"model"' + b"]" * 100_000 + b"}"])
def test_what_cannot_be_read_is_an_error_of_the_request(body):
    with pytest.raises(DialectError):
        list(other_models(body))
