"""A request of Anthropic's Messages API, as far as it can be translated. Other fields are refused by name.

Source: https://docs.claude.com/en/api/messages.
"""

from typing import Any, Literal

import msgspec


class _Strict(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    pass


class TextBlock(_Strict, tag_field="type", tag="text"):
    text: str
    cache_control: dict[str, Any] | None = None
    citations: Any = None


class Source(_Strict):
    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    content: Any = None


class ImageBlock(_Strict, tag_field="type", tag="image"):
    source: Source
    cache_control: dict[str, Any] | None = None


class DocumentBlock(_Strict, tag_field="type", tag="document"):
    source: Source
    title: str | None = None
    context: str | None = None
    citations: dict[str, Any] | None = None
    cache_control: dict[str, Any] | None = None


class ThinkingBlock(_Strict, tag_field="type", tag="thinking"):
    thinking: str
    signature: str | None = None


class RedactedThinkingBlock(_Strict, tag_field="type", tag="redacted_thinking"):
    data: str


class ToolUseBlock(_Strict, tag_field="type", tag="tool_use"):
    id: str
    name: str
    input: dict[str, Any]
    cache_control: dict[str, Any] | None = None
    caller: dict[str, Any] | None = None


class ToolResultBlock(_Strict, tag_field="type", tag="tool_result"):
    tool_use_id: str
    content: str | list[TextBlock | ImageBlock] | None = None
    is_error: bool | None = None
    cache_control: dict[str, Any] | None = None


AssistantBlock = TextBlock | ThinkingBlock | RedactedThinkingBlock | ToolUseBlock
UserBlock = TextBlock | ImageBlock | DocumentBlock | ToolResultBlock


class AnthropicUserMessage(_Strict, tag_field="role", tag="user"):
    content: str | list[UserBlock]


class AnthropicAssistantMessage(_Strict, tag_field="role", tag="assistant"):
    content: str | list[AssistantBlock]


class AnthropicSystemMessage(_Strict, tag_field="role", tag="system"):
    content: str | list[TextBlock]


Message = AnthropicUserMessage | AnthropicAssistantMessage | AnthropicSystemMessage


class AnthropicTool(_Strict):
    name: str
    input_schema: dict[str, Any] | None = None
    description: str | None = None
    type: str | None = None
    strict: bool | None = None
    cache_control: dict[str, Any] | None = None
    eager_input_streaming: bool | None = None
    input_examples: Any = None
    defer_loading: bool | None = None


class ToolChoice(_Strict):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class OutputConfig(_Strict):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: dict[str, Any] | None = None


class MessagesRequest(_Strict):
    model: str
    messages: list[Message]
    max_tokens: int
    system: str | list[TextBlock] | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: list[str] | None = None
    tools: list[AnthropicTool] | None = None
    tool_choice: ToolChoice | None = None
    output_config: OutputConfig | None = None
    metadata: dict[str, Any] | None = None
    # Hints: what they ask for, the other side decides by itself.
    thinking: dict[str, Any] | None = None
    service_tier: Any = None
    cache_control: Any = None
    # Known, and without counterpart as soon as they ask for anything.
    top_k: int | None = None
    speed: str | None = None
    context_management: dict[str, Any] | None = None


HINTS = ("thinking", "service_tier", "cache_control")
HARMLESS: dict[str, tuple[Any, ...]] = {"top_k": (), "speed": ("standard",)}
