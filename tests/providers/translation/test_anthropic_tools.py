import msgspec
import pytest

from modicum.providers.facts import DialectError
from modicum.providers.translation.anthropic_shapes import MessagesRequest
from modicum.providers.translation.anthropic_tools import tools_and_choice

OWN = {"name": "tide", "input_schema": {"type": "object"}}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
LOADER = {"type": "tool_search_tool_bm25_20251119", "name": "find"}


def tools(*offered, **fields):
    asked = {"model": "m", "max_tokens": 9, "messages": [], "tools": list(offered), **fields}
    left_out = []
    return tools_and_choice(msgspec.convert(asked, MessagesRequest), left_out), left_out


def test_what_loads_later_is_there_from_the_beginning():
    wire, left_out = tools(LOADER, {**OWN, "defer_loading": True, "input_examples": [{"at": "Kiel"}]})
    assert wire["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "tide",
                "parameters": {"type": "object"},
                "description": 'Examples of its input:\n{"at":"Kiel"}',
            },
        }
    ]
    assert left_out == ["tool find", "tools.defer_loading"]


def test_a_search_that_is_forced_is_no_tool_of_the_callers():
    wire, left_out = tools(SEARCH, tool_choice={"type": "tool", "name": "web_search"})
    assert wire == {"web_search_options": {}}
    assert left_out == ["tools.max_uses", "tool_choice"]


@pytest.mark.parametrize(
    "tool",
    [{**SEARCH, "blocked_domains": ["a.de"]}, {"type": "web_fetch_20250910", "name": "web_fetch"}, {"name": "x"}],
)
def test_what_only_anthropic_can_do_is_refused(tool):
    with pytest.raises(DialectError, match="cannot take this request"):
        tools(tool)
