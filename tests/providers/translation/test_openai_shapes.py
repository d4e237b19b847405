import msgspec
import pytest

from modicum.providers.translation.openai_shapes import (
    HARMLESS,
    HINTS,
    ONLY_SAMPLING,
    OTHERS_FIELDS,
    CalledTool,
    ChatRequest,
    ChatTool,
    CustomTool,
    offered,
    text_tool,
)

TOOLS = [{"type": "function", "function": {"name": name}} for name in ("tide", "wind")] + [
    {"type": "custom", "custom": {"name": "patch"}}
]


def request(**fields):
    return msgspec.convert({"model": "m", "messages": [], "tools": TOOLS, **fields}, ChatRequest)


@pytest.mark.parametrize(
    "named", [{"type": "function", "function": {"name": "wind"}}, {"type": "function", "name": "wind"}]
)
def test_the_tools_that_may_be_called(named):
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [named]}}
    assert [tool.name for tool in offered(request(tool_choice=choice))] == ["wind"]
    assert [tool.name for tool in offered(request(tool_choice="auto"))] == ["tide", "wind", "patch"]


def test_a_tool_that_takes_a_text_shows_its_grammar():
    tool = text_tool(CustomTool("patch", "Edits.", {"type": "grammar", "definition": "start: x"}))
    assert tool["description"].endswith("start: x")
    assert tool["input_schema"]["required"] == ["input"]
    assert text_tool(CustomTool("patch"))["description"] == "patch"


def test_names_of_tools_and_calls():
    assert ChatTool(type="function").name == CalledTool(id="1").name == ""


def test_every_field_is_of_one_kind():
    fields = {field.name for field in msgspec.structs.fields(ChatRequest)}
    assert set(HINTS) <= fields
    assert set(HARMLESS) <= fields
    assert set(ONLY_SAMPLING) <= set(HARMLESS)
    assert not OTHERS_FIELDS & fields
    assert not set(HINTS) & set(HARMLESS)
