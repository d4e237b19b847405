"""What a span recorded of the context that was sent: messages, tool definitions and system prompt.

Instrumentations have put them into attributes as JSON (OpenTelemetry since 1.37, the Vercel AI SDK), into attributes
numbered one by one (OpenLLMetry, OpenInference), and into events (OpenTelemetry before 1.37).
"""

from collections.abc import Mapping
from typing import Any

from modicum.providers.fields import first, parsed, parsed_list
from modicum.providers.opentelemetry.otel import Attributes, Span

MESSAGE_EVENTS = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
MOST_MESSAGES = 100_000
"""A number above this in the name of an attribute is none of a message."""


def context_of(span: Span) -> tuple[Any, Any, Any]:
    """Messages, tools and system prompt of a call, each None where the span has none."""
    holders = [span.attributes, *(event.attributes for event in span.events)]
    for holder in holders:
        messages = parsed(first(holder, "gen_ai.input.messages", "ai.prompt.messages", "gen_ai.prompt"))
        if messages:
            tools = parsed(first(holder, "gen_ai.tool.definitions", "gen_ai.request.tools", "ai.prompt.tools"))
            return messages, _each(tools), parsed(first(holder, "gen_ai.system_instructions"))
    numbered = unflattened(span.attributes, "llm.input_messages.")
    if numbered:
        tools = [_open_tool(tool) for tool in unflattened(span.attributes, "llm.tools.")]
        return [_open_message(message) for message in numbered], tools, None
    numbered = unflattened(span.attributes, "gen_ai.prompt.")
    if numbered:
        return numbered, unflattened(span.attributes, "llm.request.functions."), None
    messages = [_event_message(event.name, event.attributes) for event in span.events if event.name in MESSAGE_EVENTS]
    return messages or None, None, None


def reply_of(span: Span) -> Any:
    """What the model answered, in the same three places; None where the span does not tell."""
    for holder in (span.attributes, *(event.attributes for event in span.events)):
        messages = first(
            holder, "gen_ai.output.messages", "ai.response.text", "ai.response.toolCalls", "gen_ai.completion"
        )
        if messages:
            return parsed(messages)
    if numbered := unflattened(span.attributes, "llm.output_messages."):
        return [_open_message(message) for message in numbered]
    if numbered := unflattened(span.attributes, "gen_ai.completion."):
        return numbered
    chosen = (parsed(event.attributes.get("message")) for event in span.events if event.name == "gen_ai.choice")
    return [message for message in chosen if message] or None


def unflattened(attributes: Attributes, prefix: str) -> list[Any]:
    """The list behind numbered attributes: `p.0.role`, `p.0.content`, `p.1.role` give two objects."""
    tree: dict[str, Any] = {}
    for name, value in attributes.items():
        if not name.startswith(prefix):
            continue
        *way, last = name[len(prefix) :].split(".")
        at = tree
        for step in way:
            inner = at.get(step)
            if not isinstance(inner, dict):
                inner = at[step] = {}
            at = inner
        at[last] = value
    found = _listed(tree)
    return found if isinstance(found, list) else []


def _listed(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if tree and all(_is_number(name) for name in tree):
        return [_listed(tree[name]) for name in sorted(tree, key=int)]
    return {name: _listed(inner) for name, inner in tree.items()}


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) < 7 and int(name) < MOST_MESSAGES


def _each(tools: Any) -> Any:
    return [parsed(tool) for tool in tools] if isinstance(tools, list) else tools


def _inner(holder: Any, name: str) -> Mapping[str, Any]:
    found = holder.get(name) if isinstance(holder, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _open_message(raw: Any) -> dict[str, Any]:
    """A message of OpenInference in OpenAI's shape."""
    message = _inner(raw, "message")
    parts = [dict(_inner(part, "message_content")) for part in parsed_list(message.get("contents"))]
    tool_calls = [dict(_inner(call, "tool_call")) for call in parsed_list(message.get("tool_calls"))]
    if "function_call_name" in message:
        arguments = message.get("function_call_arguments_json")
        tool_calls.append({"name": message["function_call_name"], "arguments": arguments})
    return {
        "role": message.get("role", "user"),
        "content": parts or message.get("content"),
        "tool_calls": tool_calls,
        "tool_call_id": message.get("tool_call_id"),
        "name": message.get("name"),
    }


def _open_tool(raw: Any) -> Any:
    tool = _inner(raw, "tool")
    return parsed(tool.get("json_schema")) or dict(tool)


def _event_message(name: str, attributes: Attributes) -> dict[str, Any]:
    return {
        "role": MESSAGE_EVENTS[name],
        "content": parsed(first(attributes, "content", "gen_ai.event.content")),
        "tool_calls": parsed(attributes.get("tool_calls")),
        "tool_call_id": attributes.get("id"),
    }
