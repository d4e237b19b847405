import msgspec
import pytest

from modicum.providers.facts import DialectError
from modicum.providers.translation.anthropic_options import output_and_sampling
from modicum.providers.translation.openai_shapes import ChatRequest

FORM = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
TOOL = {"name": "tide", "input_schema": {"type": "object"}}


def options(to, *, tools=(), bound=20000, **fields):
    asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": bound, **fields}
    source = msgspec.convert(asked, ChatRequest)
    wire, left_out = {"model": to, "max_tokens": bound, **({"tools": list(tools)} if tools else {})}, []
    output_and_sampling(source, wire, left_out)
    return wire, left_out


@pytest.mark.parametrize(
    ("tools", "choice"), [((), {"type": "tool", "name": "json_answer"}), ((TOOL,), {"type": "any"})]
)
def test_a_model_without_schemas_answers_by_a_tool(tools, choice):
    wire, left_out = options("claude-3-7-sonnet-20250219", tools=tools, response_format=FORM)
    assert wire["tools"][-1]["name"] == "json_answer"
    assert wire["tool_choice"] == choice
    assert left_out == ["response_format is asked for by the tool json_answer"]


@pytest.mark.parametrize(
    ("to", "fields", "thinking", "left"),
    [
        ("claude-sonnet-4-5", {"reasoning_effort": "low"}, {"type": "enabled", "budget_tokens": 2048}, 1),
        ("claude-3-5-sonnet-20241022", {"reasoning_effort": "low"}, None, 1),
        ("claude-opus-4-6", {"reasoning_effort": "none"}, {"type": "disabled"}, 0),
        ("claude-sonnet-4-5", {"thinking": {"type": "adaptive"}}, {"type": "enabled", "budget_tokens": 8192}, 0),
        ("claude-3-5-sonnet-20241022", {"thinking": {"type": "adaptive"}}, None, 0),
        ("claude-opus-4-8", {"thinking": {"type": "enabled"}}, {"type": "adaptive"}, 1),
    ],
)
def test_thinking_is_asked_for_as_the_model_takes_it(to, fields, thinking, left):
    wire, left_out = options(to, **fields)
    assert wire.get("thinking") == thinking
    assert len(left_out) == left


def test_thinking_does_not_go_with_a_forced_tool():
    wire, left_out = options(
        "claude-3-7-sonnet-20250219", response_format=FORM, thinking={"type": "enabled", "budget_tokens": 2000}
    )
    assert "thinking" not in wire
    assert left_out[-1] == "thinking, it does not go with a forced tool"


def test_sampling_is_within_what_the_model_takes():
    assert options("claude-sonnet-4-20250514", temperature=0.5, top_p=0.5)[0]["top_p"] == 0.5
    wire, left_out = options("claude-sonnet-4-5", temperature=1.5, top_p=0.5)
    assert (wire["temperature"], "top_p" in wire) == (1.0, False)
    assert left_out == ["temperature 1.5 is 1 there", "top_p"]
    thinking = {"type": "enabled", "budget_tokens": 2000}
    wire, left_out = options("claude-sonnet-4-5", temperature=0.5, top_k=5, thinking=thinking)
    assert (set(wire) & {"temperature", "top_k"}, left_out) == (set(), ["temperature", "top_k"])


def test_a_form_that_nobody_has_read_about_is_refused():
    with pytest.raises(DialectError, match="grammar"):
        options("claude-opus-4-6", response_format={"type": "grammar"})
