"""A request of OpenAI's responses API, as far as another provider can serve it. Other fields are refused by name.

Source, 2026-11: https://platform.openai.com/docs/api-reference/responses/create.
"""

from typing import Any, Literal

import msgspec


class Reasoning(msgspec.Struct, gc=False):
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Any = None


class TextForm(msgspec.Struct, gc=False):
    type: str
    name: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None


class TextOptions(msgspec.Struct, gc=False):
    format: TextForm | None = None
    verbosity: Any = None


class ResponsesRequest(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    model: str
    input: str | list[dict[str, Any]]
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    text: TextOptions | None = None
    user: str | None = None
    safety_identifier: str | None = None
    # Hints: what they ask for changes no word of the reply.
    metadata: Any = None
    client_metadata: Any = None
    include: Any = None
    prompt_cache_key: Any = None
    prompt_cache_retention: Any = None
    prompt_cache_options: Any = None
    service_tier: Any = None
    stream_options: Any = None
    store: Any = None
    truncation: Any = None
    max_tool_calls: Any = None
    # Known, and without counterpart as soon as they ask for anything.
    previous_response_id: str | None = None
    conversation: Any = None
    prompt: Any = None
    background: bool | None = None
    top_logprobs: int | None = None
    context_management: Any = None
    moderation: Any = None


HINTS = (
    "metadata",
    "client_metadata",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "service_tier",
    "stream_options",
    "truncation",
    "max_tool_calls",
)
HARMLESS: dict[str, tuple[Any, ...]] = {
    "previous_response_id": ("",),
    "conversation": (),
    "prompt": (),
    "background": (False,),
    "top_logprobs": (0,),
    "context_management": ([],),
    "moderation": (),
}
"""Fields without counterpart, and the values with which they ask for nothing."""
