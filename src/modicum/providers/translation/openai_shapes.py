"""An OpenAI chat request, as far as it can be translated. A field that does not stand here is refused by its name.

Source: https://platform.openai.com/docs/api-reference/chat/create. `cache_control`, `reasoning_content` and
`thinking_blocks` are what clients and gateways of the field add to it.
"""

from typing import Any, Literal

import msgspec

from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.translation.translation import unsupported


class _Strict(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    pass


class CacheBreakpoint(_Strict):
    mode: Literal["explicit"]
    ttl: str | None = None


class TextPart(_Strict, tag_field="type", tag="text"):
    text: str
    cache_control: dict[str, Any] | None = None
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class ImageUrl(_Strict):
    url: str
    detail: str | None = None


class ImagePart(_Strict, tag_field="type", tag="image_url"):
    image_url: ImageUrl
    cache_control: dict[str, Any] | None = None
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class File(_Strict):
    file_data: str | None = None
    """Base64 data, or a web address, as some gateways take it."""
    file_id: str | None = None
    filename: str | None = None
    format: str | None = None


class FilePart(_Strict, tag_field="type", tag="file"):
    file: File
    cache_control: dict[str, Any] | None = None
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class Sound(_Strict):
    data: str
    format: str


class SoundPart(_Strict, tag_field="type", tag="input_audio"):
    input_audio: Sound
    cache_control: dict[str, Any] | None = None


class RefusalPart(_Strict, tag_field="type", tag="refusal"):
    refusal: str
    cache_control: dict[str, Any] | None = None


class ThinkingPart(_Strict, tag_field="type", tag="thinking"):
    """As some clients send reasoning back, within the content."""

    thinking: Any = None
    signature: str | None = None


Part = TextPart | ImagePart | FilePart | SoundPart
Content = str | list[Part] | None


class CalledFunction(_Strict):
    name: str
    arguments: str


class CalledCustom(_Strict):
    name: str
    input: str = ""


class CalledTool(_Strict):
    id: str
    function: CalledFunction | None = None
    custom: CalledCustom | None = None
    type: Literal["function", "custom"] | None = None
    index: int | None = None
    cache_control: dict[str, Any] | None = None
    extra_content: dict[str, Any] | None = None
    """Where Google's own endpoint of this dialect puts the signature of a thought."""

    @property
    def name(self) -> str:
        called = self.function or self.custom
        return called.name if called is not None else ""


class ChatSystemMessage(_Strict, tag_field="role", tag="system"):
    content: str | list[TextPart]
    name: str | None = None
    cache_control: dict[str, Any] | None = None


class ChatDeveloperMessage(_Strict, tag_field="role", tag="developer"):
    content: str | list[TextPart]
    name: str | None = None
    cache_control: dict[str, Any] | None = None


class ChatUserMessage(_Strict, tag_field="role", tag="user"):
    content: str | list[Part]
    name: str | None = None
    cache_control: dict[str, Any] | None = None


class ChatAssistantMessage(_Strict, tag_field="role", tag="assistant"):
    content: str | list[TextPart | RefusalPart | ThinkingPart] | None = None
    cache_control: dict[str, Any] | None = None
    refusal: str | None = None
    tool_calls: list[CalledTool] | None = None
    thinking_blocks: list[dict[str, Any]] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    name: str | None = None
    annotations: list[Any] | None = None
    audio: dict[str, Any] | None = None
    function_call: dict[str, Any] | None = None


class ChatToolMessage(_Strict, tag_field="role", tag="tool"):
    tool_call_id: str
    content: str | list[Part] | None = None
    name: str | None = None
    cache_control: dict[str, Any] | None = None


Message = ChatSystemMessage | ChatDeveloperMessage | ChatUserMessage | ChatAssistantMessage | ChatToolMessage


class Function(_Strict):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    cache_control: dict[str, Any] | None = None


class CustomTool(_Strict):
    name: str
    description: str | None = None
    format: dict[str, Any] | None = None


class ChatTool(_Strict):
    type: Literal["function", "custom"]
    function: Function | None = None
    custom: CustomTool | None = None
    cache_control: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        tool = self.function or self.custom
        return tool.name if tool is not None else ""


class NamedFunction(_Strict):
    name: str


class AllowedTools(_Strict):
    mode: Literal["auto", "required"]
    tools: list[dict[str, Any]]


class NamedTool(_Strict):
    """One tool, or a choice of some."""

    type: Literal["function", "custom", "allowed_tools"]
    function: NamedFunction | None = None
    custom: NamedFunction | None = None
    allowed_tools: AllowedTools | None = None


class JsonSchema(_Strict):
    name: str
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(_Strict):
    type: str
    json_schema: JsonSchema | None = None


class StreamOptions(_Strict):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ChatRequest(_Strict):
    model: str
    messages: list[Message]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: str | list[str] | None = None
    tools: list[ChatTool] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    web_search_options: dict[str, Any] | None = None
    thinking: dict[str, Any] | None = None
    """As clients of several providers ask Claude for it in this dialect."""
    top_k: int | None = None
    # Hints: what they ask for changes no word of the reply.
    metadata: Any = None
    store: Any = None
    seed: Any = None
    service_tier: Any = None
    prompt_cache_key: Any = None
    prompt_cache_retention: Any = None
    prompt_cache_options: Any = None
    prediction: Any = None
    verbosity: Any = None
    session_id: Any = None
    # Known, and without counterpart as soon as they ask for anything.
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: dict[str, Any] | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    modalities: list[str] | None = None
    audio: Any = None
    functions: Any = None
    function_call: Any = None
    moderation: Any = None


HINTS = (
    "metadata",
    "store",
    "seed",
    "service_tier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "prediction",
    "verbosity",
    "session_id",
)

HARMLESS: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "modalities": (["text"],),
    "audio": (),
    "functions": ([],),
    "function_call": (),
    "moderation": (),
}
"""Fields without counterpart, and the values with which they ask for nothing."""

ONLY_SAMPLING = ("frequency_penalty", "presence_penalty")
"""Of these, what only shifts chances: left out rather than refused where there is no counterpart."""

OTHERS_FIELDS = frozenset(
    {"provider", "providerOptions", "transforms", "models", "route", "usage", "reasoning", "include_reasoning"}
    | {"min_p", "top_a", "repetition_penalty", "chat_template_kwargs", "allowed_openai_params", "drop_params"}
    | {"thinking_budget", "enable_thinking", "cache_prompt", "id_slot", "timings_per_token", "keep_alive", "num_ctx"}
    | {"litellm_metadata", "litellm_session_id", "extra_headers", "tags", "trace_id", "timeout"}
)
"""What hosts and gateways add to the dialect, and clients of theirs send everywhere. It changes sampling, routing or
records, none of them a word of what is asked."""


def offered(source: ChatRequest) -> list[ChatTool]:
    """The tools that the model may call: those that `tool_choice` allows, where it says which."""
    tools = source.tools or []
    choice = source.tool_choice
    if not isinstance(choice, NamedTool) or choice.allowed_tools is None:
        return tools
    names = set[str]()
    for tool in choice.allowed_tools.tools:
        named = tool.get(str(tool.get("type")), tool)
        names.add(str(named.get("name")) if isinstance(named, dict) else "")
    return [tool for tool in tools if tool.name in names]


def text_tool(tool: CustomTool) -> dict[str, Any]:
    """A tool that takes a text, as one that takes an object with that text in it."""
    grammar = (tool.format or {}).get("definition") or ((tool.format or {}).get("grammar") or {}).get("definition")
    description = tool.description or ""
    if grammar:
        description += f"\n\nIts input must fit this grammar:\n{grammar}"
    schema = {
        "type": "object",
        "properties": {"input": {"type": "string", "description": "The whole input of the tool, as plain text."}},
        "required": ["input"],
    }
    return {"description": description.strip() or tool.name, "input_schema": schema}


def arguments_of(call: CalledTool, upstream: str) -> dict[str, Any]:
    """What a tool was called with.

    Raises:
        DialectError: it is no JSON object, which `upstream` has for it.
    """
    try:
        given = msgspec.json.decode((call.function and call.function.arguments) or "{}")
    except UNREADABLE:
        given = None
    if not isinstance(given, dict):
        raise unsupported(f"the arguments of a call of '{call.name}' are no JSON object", upstream)
    return given
