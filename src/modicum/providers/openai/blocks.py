"""What the model sees of a request to OpenAI, and what it said in a reply: chat completions, responses, and their kin.

Sources: https://platform.openai.com/docs/api-reference/chat/create,
https://platform.openai.com/docs/api-reference/responses/create.
"""

from collections.abc import Mapping
from typing import Any

from modicum.calls import SegmentKind
from modicum.providers.blocks import Block, canonical, plain, schemas, tool_call, tool_result
from modicum.providers.fields import listed, mapping, text
from modicum.providers.json_values import decoded


def request_blocks(request: Mapping[str, Any]) -> list[Block]:
    """What the model sees of a request, in the order in which the prompt cache does: tools, system, messages."""
    blocks = schemas(request.get("tools")) + schemas(request.get("functions"))
    if instructions := request.get("instructions"):
        blocks.append(Block(SegmentKind.SYSTEM, plain(instructions)))
    for message in listed(request.get("messages")):
        blocks += message_blocks(mapping(message))
    asked = request.get("input")
    if isinstance(asked, str):
        blocks.append(Block(SegmentKind.USER, asked))
    for item in listed(asked):
        blocks += [Block(SegmentKind.USER, item)] if isinstance(item, str) else item_blocks(mapping(item))
    return blocks


def response_blocks(response: Mapping[str, Any]) -> list[Block]:
    """What the model said in a chat completion or in a response, as the next request would show it."""
    blocks = []
    for choice in listed(response.get("choices")):
        blocks += message_blocks({"role": "assistant", **mapping(mapping(choice).get("message"))})
    for item in listed(response.get("output")):
        blocks += item_blocks(mapping(item))
    return blocks


ROLES = {
    "system": SegmentKind.SYSTEM,
    "developer": SegmentKind.SYSTEM,
    "assistant": SegmentKind.ASSISTANT,
}


def message_blocks(message: Mapping[str, Any]) -> list[Block]:
    """A chat message, or a `message` item of the responses API."""
    role = text(message.get("role"))
    content = message.get("content")
    if role in {"tool", "function"}:
        return [tool_result(content, message.get("tool_call_id") or message.get("name"), tool=message.get("name"))]
    kind = ROLES.get(role, SegmentKind.USER)
    blocks = []
    if thought := message.get("reasoning_content") or message.get("reasoning"):
        blocks.append(Block(SegmentKind.REASONING, plain(thought)))
    if isinstance(content, str):
        blocks.append(Block(kind, content))
    blocks += [_part(kind, mapping(part)) for part in listed(content)]
    for asked in listed(message.get("tool_calls")):
        function = mapping(mapping(asked).get("function"))
        blocks.append(tool_call(function.get("name"), function.get("arguments"), mapping(asked).get("id")))
    if function := mapping(message.get("function_call")):
        blocks.append(tool_call(function.get("name"), function.get("arguments"), function.get("name")))
    return blocks


def _part(kind: SegmentKind, part: Mapping[str, Any]) -> Block:
    if text(part.get("type")) in {"image_url", "input_image"}:
        return Block(SegmentKind.IMAGE, canonical(part.get("image_url") or part.get("file_id")))
    if text(part.get("type")) in {"file", "input_file"}:
        return Block(SegmentKind.DOCUMENT, canonical(part))
    return Block(kind, plain(part))


def item_blocks(item: Mapping[str, Any]) -> list[Block]:
    """An item of the responses API's input or output; agents that speak it log the same items."""
    kind = text(item.get("type"))
    if kind == "reasoning":
        thought = plain(item.get("content") or item.get("summary"))
        return [Block(SegmentKind.REASONING, thought or text(item.get("encrypted_content")))]
    if kind.endswith("_output"):
        output = item.get("output", item.get("tools"))
        return [tool_result(output, item.get("call_id"), is_error=_failed(output))]
    if kind == "function_call" or kind.endswith("tool_call"):
        return [tool_call(item.get("name"), item.get("arguments", item.get("input")), item.get("call_id"))]
    if kind.endswith("_call"):  # the provider's or the agent's own tools: local_shell_call, web_search_call, ...
        return [tool_call(kind.removesuffix("_call"), item.get("action", item.get("queries")), item.get("call_id"))]
    if "role" in item or kind == "message":
        return message_blocks(item)
    return []


def _failed(output: Any) -> bool:
    """Whether a tool's output says that it failed: a flag, or the exit code that shells report in their metadata."""
    if isinstance(output, str) and output.startswith("{") and '"exit_code"' in output:
        output = _decoded(output)
    said = mapping(output)
    code = mapping(said.get("metadata")).get("exit_code")
    return said.get("success") is False or (isinstance(code, int) and code != 0)


def _decoded(output: str) -> Any:
    try:
        return decoded(output)
    except (ValueError, RecursionError):
        return None
