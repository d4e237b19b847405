"""OpenAI's usage objects and bodies, converted: chat completions, responses, and the many who speak like them.

`prompt_tokens` and `input_tokens` include what was read from a prompt cache and, on models that bill it, what was
written to one. `completion_tokens` and `output_tokens` include reasoning; xAI and Google's compatible endpoint leave it
out and count it only in `total_tokens`. Sources: https://platform.openai.com/docs/api-reference/chat/object (usage),
https://platform.openai.com/docs/api-reference/responses/object, https://docs.x.ai/docs/guides/reasoning,
https://api-docs.deepseek.com/guides/kv_cache, https://openrouter.ai/docs/use-cases/usage-accounting.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from modicum.calls import Basis, SegmentKind, Tier, Usage
from modicum.calls.usage import checked_count, is_counted
from modicum.providers.blocks import Block, canonical, plain, schemas, tool_call, tool_result
from modicum.providers.fields import listed, mapping, text
from modicum.providers.json_values import decoded

TIERS = {"batch": Tier.BATCH, "flex": Tier.FLEX, "priority": Tier.PRIORITY, "fast": Tier.FAST}

HOSTS = {
    "openai.com": "openai",
    "chatgpt.com": "openai",
    "azure.com": "azure",
    "azure-api.net": "azure",
    "openrouter.ai": "openrouter",
    "deepseek.com": "deepseek",
    "groq.com": "groq",
    "x.ai": "x-ai",
    "mistral.ai": "mistral",
    "together.xyz": "together",
    "together.ai": "together",
    "fireworks.ai": "fireworks",
    "moonshot.ai": "moonshotai",
    "moonshot.cn": "moonshotai",
    "cerebras.ai": "cerebras",
    "perplexity.ai": "perplexity",
    "googleapis.com": "google",
    "amazonaws.com": "aws",
    "anthropic.com": "anthropic",
}
"""Ends of host names, and who bills for what is served there (ids of genai-prices)."""

MODELS = (
    (("gpt-oss",), ""),  # open weights: anybody may serve them
    (("gpt-", "chatgpt-", "o1", "o3", "o4", "codex-", "text-embedding-", "davinci", "babbage"), "openai"),
    (("deepseek-chat", "deepseek-reasoner"), "deepseek"),
    (("grok-",), "x-ai"),
)
"""Beginnings of model names that one provider alone uses."""


def usage_from(usage: Mapping[str, Any]) -> Usage:
    """A `usage` object of either API, as buckets.

    Raises:
        ValueError: a count is no count of tokens.
    """
    read_details = mapping(usage.get("prompt_tokens_details")) or mapping(usage.get("input_tokens_details"))
    made_details = mapping(usage.get("completion_tokens_details")) or mapping(usage.get("output_tokens_details"))
    cached = _first(read_details.get("cached_tokens"), usage, "prompt_cache_hit_tokens", "cached_tokens")
    return buckets(
        prompt=checked_count("prompt_tokens", _first(usage.get("prompt_tokens"), usage, "input_tokens")),
        read=checked_count("cached_tokens", _first(cached, usage, "num_cached_tokens", "cached_input_tokens")),
        written=checked_count(
            "cache_write_tokens", _first(read_details.get("cache_write_tokens"), usage, "cache_write_input_tokens")
        ),
        completion=checked_count("completion_tokens", _first(usage.get("completion_tokens"), usage, "output_tokens")),
        reasoning=checked_count(
            "reasoning_tokens", _first(made_details.get("reasoning_tokens"), usage, "reasoning_output_tokens")
        ),
        total=checked_count("total_tokens", usage.get("total_tokens")),
    )


def bases_of(usage: Mapping[str, Any]) -> tuple[Basis, Basis]:
    """How a `usage` object as a whole and its output are known: what is null was not counted."""
    has_input = is_counted(usage, "prompt_tokens", "input_tokens")
    has_output = is_counted(usage, "completion_tokens", "output_tokens", may_lack=True)
    return Basis.counted(has_input), Basis.counted(has_input and has_output)


def _first(value: Any, usage: Mapping[str, Any], *others: str) -> Any:
    """The value, or the first of these fields that is there."""
    for name in others:
        if value is None:
            value = usage.get(name)
    return value


def buckets(*, prompt: int, read: int, written: int, completion: int, reasoning: int, total: int = 0) -> Usage:
    """Counts of which `prompt` includes the cached and `completion` the reasoning tokens, as buckets.

    A `total` above their sum holds reasoning that `completion` leaves out. More cached than prompt tokens can only
    mean that this speaker counts them beside the prompt.
    """
    uncached = prompt - read - written
    output = max(completion, total - prompt)
    hidden = output - completion
    reasoning = min(max(reasoning, hidden), output)
    return Usage(
        input_uncached=uncached if uncached >= 0 else prompt,
        cache_read=read,
        cache_write_5m=written,
        output_visible=output - reasoning,
        output_reasoning=reasoning,
    )


def tier_from(body: Mapping[str, Any]) -> Tier:
    """The price lane that a reply says it was served in."""
    return TIERS.get(text(body.get("service_tier")).lower(), Tier.STANDARD)


def web_searches_from(response: Mapping[str, Any]) -> int:
    """Searches that the provider ran, each an item in the output of the responses API."""
    return sum(mapping(item).get("type") == "web_search_call" for item in listed(response.get("output")))


def finish_reason_from(response: Mapping[str, Any]) -> str:
    """`stop`, `length`, `tool_calls`, ... (chat), or the status and why it is incomplete (responses)."""
    for choice in listed(response.get("choices")):
        return text(mapping(choice).get("finish_reason"))
    why = text(mapping(response.get("incomplete_details")).get("reason"))
    return why or text(response.get("status"))


def provider_of(url: str, model: str, response: Mapping[str, Any]) -> str:
    """Who served and bills a call, by host, by the marks in the reply, by model name; empty where nothing tells."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    for end, provider in HOSTS.items():
        if host == end or host.endswith("." + end):
            return provider
    if text(response.get("id")).startswith("gen-"):
        return "openrouter"
    if "x_groq" in response:
        return "groq"
    if "prompt_filter_results" in response:
        return "azure"
    for beginnings, provider in MODELS:
        if model.startswith(beginnings):
            return provider
    return ""


def joined(events: Iterable[Any]) -> Mapping[str, Any]:
    """A streamed reply as the body that it would have been, without its content.

    Chat chunks repeat id and model, and the last one holds the usage if it was asked for; the responses API ends with
    an event that holds the whole body.
    """
    body: dict[str, Any] = {}
    for event in events:
        chunk = mapping(event)
        if isinstance(chunk.get("response"), Mapping):
            body.update(chunk["response"])
            continue
        for name in ("id", "object", "created", "model", "service_tier", "usage", "x_groq"):
            if chunk.get(name) is not None:
                body[name] = chunk[name]
        if any(mapping(choice).get("finish_reason") for choice in listed(chunk.get("choices"))):
            body["choices"] = chunk["choices"]
    if body.get("object") == "chat.completion.chunk":
        body["object"] = "chat.completion"
    return body


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
