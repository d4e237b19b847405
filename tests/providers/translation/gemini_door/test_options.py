import pytest

from modicum.providers.facts import DialectError
from modicum.providers.translation.gemini_door.options import options, tools

GPT, CLAUDE = ("gpt-5", False), ("claude-opus-4-6", True)


def asked(config, where=GPT):
    left_out = []
    model, on_the_way = where
    return options(config, model, "max_completion_tokens", left_out, on_the_way=on_the_way), left_out


@pytest.mark.parametrize(
    ("config", "where", "wire", "left_out"),
    [
        ({"thinkingConfig": {"thinkingBudget": 8000}}, GPT, {"reasoning_effort": "medium"}, []),
        (
            {"thinkingConfig": {"thinkingBudget": 200}},
            CLAUDE,
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
            [],
        ),
        ({"thinkingConfig": {"thinkingBudget": -1, "includeThoughts": True}}, CLAUDE, {}, []),
        ({"thinkingConfig": {"thinkingBudget": 0}}, CLAUDE, {"thinking": {"type": "disabled"}}, []),
        ({"thinkingConfig": {"thinkingBudget": 0}}, GPT, {}, ["thinkingConfig"]),
        ({"thinkingConfig": {"thinkingLevel": "HIGH"}}, GPT, {"reasoning_effort": "high"}, []),
        ({"thinkingConfig": {"thinkingLevel": "HIGH"}}, ("gpt-4o", False), {}, ["thinkingConfig"]),
        ({"top_k": 4.0, "stop_sequences": ["a"]}, CLAUDE, {"top_k": 4, "stop": ["a"]}, []),
        ({"topK": 4, "candidateCount": 2, "mediaResolution": "LOW"}, GPT, {"n": 2}, ["mediaResolution", "topK"]),
        ({"responseMimeType": "application/json"}, GPT, {"response_format": {"type": "json_object"}}, []),
        ({"temperature": None, "responseModalities": ["TEXT"], "responseMimeType": "text/plain"}, GPT, {}, []),
    ],
)
def test_what_a_configuration_asks_for(config, where, wire, left_out):
    assert asked(config, where) == (wire, left_out)


@pytest.mark.parametrize(
    "config",
    [
        {"responseModalities": ["IMAGE"]},
        {"speechConfig": {"voice": "x"}},
        {"responseMimeType": "text/x.enum"},
        {"stopSequences": ["a", "b", "c", "d", "e"]},
    ],
)
def test_what_has_no_counterpart_is_refused(config):
    with pytest.raises(DialectError, match="cannot take"):
        asked(config)


DECLARED = [{"function_declarations": [{"name": "a", "response": {"type": "STRING"}}, {"name": "b"}]}]


@pytest.mark.parametrize(
    ("calling", "choice"),
    [
        ({"mode": "ANY", "allowedFunctionNames": ["a"]}, {"type": "function", "function": {"name": "a"}}),
        ({"mode": "NONE"}, "none"),
        ({"mode": "AUTO"}, "auto"),
        (None, None),
    ],
)
def test_tools_and_which_of_them(calling, choice):
    left_out = []
    wire = tools({"tools": DECLARED, "toolConfig": {"function_calling_config": calling}}, left_out)
    assert [tool["function"]["name"] for tool in wire["tools"]] == ["a", "b"]
    assert wire.get("tool_choice") == choice
    assert left_out == ["functionDeclarations.response"]


def test_several_allowed_tools_search_and_what_google_runs():
    two = {"mode": "ANY", "allowedFunctionNames": ["a", "b"]}
    wire = tools({"tools": [*DECLARED, {"googleSearch": {}}], "toolConfig": {"functionCallingConfig": two}}, [])
    assert wire["tool_choice"]["allowed_tools"]["mode"] == "required"
    assert wire["web_search_options"] == {}
    for request in (
        {"tools": [{"urlContext": {}}]},
        {"tools": DECLARED, "toolConfig": {"functionCallingConfig": {"mode": "X"}}},
    ):
        with pytest.raises(DialectError):
            tools(request, [])
