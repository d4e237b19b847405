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


class SearchResultBlock(_Strict, tag_field="type", tag="search_result"):
    """What the caller's own search brought."""

    source: str
    title: str
    content: list[TextBlock]
    citations: Any = None
    cache_control: dict[str, Any] | None = None


class CompactionBlock(_Strict, tag_field="type", tag="compaction"):
    """The provider's summary of what came before."""

    content: str | None = None
    cache_control: dict[str, Any] | None = None


class ToolReferenceBlock(_Strict, tag_field="type", tag="tool_reference"):
    tool_name: str = ""
    cache_control: dict[str, Any] | None = None


class ServerToolUse(msgspec.Struct, tag_field="type", tag="server_tool_use", gc=False):
    """What the provider itself did in an earlier turn: for what it then said, it is not needed."""


class WebSearchResult(msgspec.Struct, tag_field="type", tag="web_search_tool_result", gc=False):
    pass


class WebFetchResult(msgspec.Struct, tag_field="type", tag="web_fetch_tool_result", gc=False):
    pass


class ToolSearchResult(msgspec.Struct, tag_field="type", tag="tool_search_tool_result", gc=False):
    pass


class CodeResult(msgspec.Struct, tag_field="type", tag="code_execution_tool_result", gc=False):
    pass


class BashResult(msgspec.Struct, tag_field="type", tag="bash_code_execution_tool_result", gc=False):
    pass


class EditorResult(msgspec.Struct, tag_field="type", tag="text_editor_code_execution_tool_result", gc=False):
    pass


class McpToolUse(msgspec.Struct, tag_field="type", tag="mcp_tool_use", gc=False):
    pass


class McpToolResult(msgspec.Struct, tag_field="type", tag="mcp_tool_result", gc=False):
    pass


class ToolResultBlock(_Strict, tag_field="type", tag="tool_result"):
    tool_use_id: str
    content: str | list[TextBlock | ImageBlock | DocumentBlock | SearchResultBlock | ToolReferenceBlock] | None = None
    is_error: bool | None = None
    cache_control: dict[str, Any] | None = None


ServerBlock = (
    ServerToolUse
    | WebSearchResult
    | WebFetchResult
    | ToolSearchResult
    | CodeResult
    | BashResult
    | EditorResult
    | McpToolUse
    | McpToolResult
)
AssistantBlock = TextBlock | ThinkingBlock | RedactedThinkingBlock | ToolUseBlock | CompactionBlock | ServerBlock
UserBlock = TextBlock | ImageBlock | DocumentBlock | SearchResultBlock | ToolResultBlock


class AnthropicUserMessage(_Strict, tag_field="role", tag="user"):
    content: str | list[UserBlock]


class AnthropicAssistantMessage(_Strict, tag_field="role", tag="assistant"):
    content: str | list[AssistantBlock]


class AnthropicSystemMessage(_Strict, tag_field="role", tag="system"):
    content: str | list[TextBlock]


Message = AnthropicUserMessage | AnthropicAssistantMessage | AnthropicSystemMessage


class AnthropicTool(_Strict):
    name: str = ""
    input_schema: dict[str, Any] | None = None
    description: str | None = None
    type: str | None = None
    strict: bool | None = None
    cache_control: dict[str, Any] | None = None
    eager_input_streaming: bool | None = None
    input_examples: Any = None
    defer_loading: bool | None = None
    allowed_callers: Any = None
    max_uses: int | None = None
    user_location: dict[str, Any] | None = None
    allowed_domains: list[str] | None = None
    blocked_domains: list[str] | None = None


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
    output_format: dict[str, Any] | None = None
    """As `output_config.format`, from clients that know it by its first name."""
    top_k: int | None = None
    # Hints: what they ask for, the other side decides by itself.
    thinking: dict[str, Any] | None = None
    service_tier: Any = None
    cache_control: Any = None
    speed: Any = None
    context_management: Any = None
    diagnostics: Any = None
    betas: Any = None
    anthropic_version: Any = None
    anthropic_beta: Any = None
    # Known, and without counterpart as soon as they ask for anything.
    mcp_servers: list[Any] | None = None
    container: Any = None
    inference_geo: str | None = None


HINTS = (
    "service_tier",
    "cache_control",
    "speed",
    "context_management",
    "diagnostics",
    "betas",
    "anthropic_version",
    "anthropic_beta",
)
HARMLESS: dict[str, tuple[Any, ...]] = {"mcp_servers": ([],), "container": (), "inference_geo": ("global",)}
"""Fields without counterpart, and the values with which they ask for nothing. Where a call may be served
(`inference_geo`) is a promise that another provider has not given.
"""
