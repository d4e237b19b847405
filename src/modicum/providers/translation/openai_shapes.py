"""An OpenAI chat request, as far as it can be translated. A field that does not stand here is refused by its name.

Source: https://platform.openai.com/docs/api-reference/chat/create. `cache_control`, `reasoning_content` and
`thinking_blocks` are what clients and gateways of the field add to it.
"""

from typing import Any, Literal

import msgspec


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
    file_id: str | None = None
    filename: str | None = None


class FilePart(_Strict, tag_field="type", tag="file"):
    file: File
    cache_control: dict[str, Any] | None = None
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class RefusalPart(_Strict, tag_field="type", tag="refusal"):
    refusal: str


Part = TextPart | ImagePart | FilePart
Content = str | list[Part] | None


class CalledFunction(_Strict):
    name: str
    arguments: str


class CalledTool(_Strict):
    id: str
    function: CalledFunction
    type: Literal["function"] = "function"
    index: int | None = None
    cache_control: dict[str, Any] | None = None


class ChatSystemMessage(_Strict, tag_field="role", tag="system"):
    content: str | list[TextPart]
    name: str | None = None


class ChatDeveloperMessage(_Strict, tag_field="role", tag="developer"):
    content: str | list[TextPart]
    name: str | None = None


class ChatUserMessage(_Strict, tag_field="role", tag="user"):
    content: str | list[Part]
    name: str | None = None


class ChatAssistantMessage(_Strict, tag_field="role", tag="assistant"):
    content: str | list[TextPart | RefusalPart] | None = None
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
    content: str | list[TextPart | ImagePart]
    name: str | None = None
    cache_control: dict[str, Any] | None = None


Message = ChatSystemMessage | ChatDeveloperMessage | ChatUserMessage | ChatAssistantMessage | ChatToolMessage


class Function(_Strict):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ChatTool(_Strict):
    function: Function
    type: Literal["function"]
    cache_control: dict[str, Any] | None = None


class NamedFunction(_Strict):
    name: str


class NamedTool(_Strict):
    function: NamedFunction
    type: Literal["function"]


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
    web_search_options: Any = None
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
    "web_search_options": (),
    "moderation": (),
}
"""Fields without counterpart, and the values with which they ask for nothing."""
