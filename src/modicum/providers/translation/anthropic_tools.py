"""The tools of an Anthropic request as functions of a chat request: the caller's own, those that Anthropic defines and
the client runs, and its web search.
"""

from typing import Any

from modicum.providers.body_parsing import encode
from modicum.providers.translation import anthropic_shapes as messages
from modicum.providers.translation.client_tools import client_tool
from modicum.providers.translation.translation import unsupported

UPSTREAM = "OpenAI chat"

SEARCH = "web_search_"
LOADERS = "tool_search_tool_"
"""Tools that find those that load later; where all are there from the beginning, nobody needs one."""
MOST_EXAMPLES = 20
_UNUSED = ("defer_loading", "eager_input_streaming", "allowed_callers")

Json = dict[str, Any]


def tools_and_choice(source: messages.MessagesRequest, left_out: list[str]) -> Json:
    """`tools`, `tool_choice`, `parallel_tool_calls` and `web_search_options`.

    Raises:
        DialectError: Anthropic itself would run one of the tools.
    """
    tools: list[Json] = []
    wire: Json = {}
    for tool in source.tools or ():
        if tool.cache_control:
            left_out.append("cache_control")
        kind = tool.type or "custom"
        if kind.startswith(SEARCH):
            wire["web_search_options"] = _search(tool, left_out)
        elif kind.startswith(LOADERS):
            left_out.append(f"tool {tool.name:.60}")
        else:
            tools.append({"type": "function", "function": _function(tool, kind, left_out)})
    if tools:
        wire["tools"] = tools
    return wire | (_choice(source.tool_choice, tools, left_out) if source.tool_choice else {})


def _choice(choice: messages.ToolChoice, tools: list[Json], left_out: list[str]) -> Json:
    wire: Json = {}
    if choice.type == "tool" and any(tool["function"]["name"] == choice.name for tool in tools):
        wire["tool_choice"] = {"type": "function", "function": {"name": choice.name}}
    elif choice.type == "tool":
        left_out.append("tool_choice")  # the provider's own search, which has no name there
    elif tools:
        wire["tool_choice"] = "required" if choice.type == "any" else choice.type
    if choice.disable_parallel_tool_use and tools:
        wire["parallel_tool_calls"] = False
    return wire


def _function(tool: messages.AnthropicTool, kind: str, left_out: list[str]) -> Json:
    ready = None if kind == "custom" else client_tool(kind)
    schema = ready.schema if ready is not None else tool.input_schema
    if schema is None or (kind != "custom" and ready is None):
        raise unsupported(f"the tool '{tool.name or kind:.60}' is run by Anthropic", UPSTREAM)
    description = ready.description if ready is not None else tool.description or ""
    if isinstance(tool.input_examples, list) and tool.input_examples:
        examples = "\n".join(encode(example).decode() for example in tool.input_examples[:MOST_EXAMPLES])
        description += f"\n\nExamples of its input:\n{examples}"
    left_out += [f"tools.{name}" for name in _UNUSED if getattr(tool, name)]
    function: Json = {"name": tool.name, "parameters": schema}
    if description:
        function["description"] = description.strip()
    if tool.strict:
        function["strict"] = True
    return function


def _search(tool: messages.AnthropicTool, left_out: list[str]) -> Json:
    if tool.allowed_domains or tool.blocked_domains:
        raise unsupported(f"'{tool.name:.60}' has no bound on its domains there", UPSTREAM)
    if tool.max_uses is not None:
        left_out.append("tools.max_uses")
    place = {name: value for name, value in (tool.user_location or {}).items() if name != "type"}
    return {"user_location": {"type": "approximate", "approximate": place}} if place else {}
