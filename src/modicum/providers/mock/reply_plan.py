"""What the mock provider will say to one request."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from modicum.calls import SegmentKind, Usage
from modicum.providers.blocks import Block
from modicum.providers.facts import RequestFacts
from modicum.providers.fields import listed, mapping, text
from modicum.providers.mock.options import MockOptions
from modicum.providers.planned_reply import PlannedReply, ToolCall

SENTENCE = (
    "the tide comes in at noon and goes out again before the boats are home so we wait on the quay and count the gulls "
    "while rain moves over the water from the west"
)
WORDS = SENTENCE.split()

DEEPEST_SCHEMA = 6


class MockRequest(NamedTuple):
    """A request, as far as the mock provider looks into it."""

    facts: RequestFacts
    body: Mapping[str, Any]
    blocks: Sequence[Block]
    tools: Sequence[tuple[str, Mapping[str, Any]]]
    """Name and schema of each function that it offers."""
    forces_tool: bool
    """Whether the reply must call one."""


def plan_reply(request: MockRequest, prompt: Usage, options: MockOptions, seed: bytes, created: int) -> PlannedReply:
    """The reply to a request. `prompt` holds the input buckets; same seed, same reply."""
    reply_id = hashlib.blake2b(seed, digest_size=20).hexdigest()
    calls = _calls(request, options, reply_id)
    bound = request.facts.most_output_tokens
    reasoning = options.reasoning_tokens if bound is None else min(options.reasoning_tokens, bound)
    given_words = options.says.split()
    intended = len(given_words) or options.output_tokens
    left = intended if bound is None else min(intended, bound - reasoning)
    words = 0 if calls else left
    visible = words or (1 + sum(len(call.arguments_json) for call in calls) // 4 if calls else 0)
    counted = msgspec.structs.replace(prompt, output_visible=visible, output_reasoning=reasoning)
    finish = "tool_calls" if calls else "length" if left < intended else "stop"
    start = int(reply_id[:4], 16)
    return PlannedReply(
        reply_id=reply_id,
        model=request.facts.model,
        created=created,
        usage=None if options.fault == "no_usage" else counted,
        usage_asked=request.facts.usage_asked,
        reasoning=" ".join(_words(start + 1, reasoning)),
        pieces=_pieces(given_words[:words] or list(_words(start, words)), options.chunks),
        calls=calls,
        finish=finish,
        request=request.body,
    )


def _words(start: int, count: int) -> Iterator[str]:
    return (WORDS[(start + place) % len(WORDS)] for place in range(count))


def _pieces(words: list[str], count: int) -> tuple[str, ...]:
    """The words as at most `count` pieces, about equally long, with the spaces where a model puts them."""
    if not words:
        return ()
    count = max(1, min(count, len(words)))
    edges = [len(words) * place // count for place in range(count + 1)]
    return tuple((" " if start else "") + " ".join(words[start:stop]) for start, stop in pairwise(edges))


def _calls(request: MockRequest, options: MockOptions, reply_id: str) -> tuple[ToolCall, ...]:
    tools = request.tools
    count = min(max(options.tool_calls, request.forces_tool), len(tools))
    if request.blocks and request.blocks[-1].kind is SegmentKind.TOOL_RESULT:
        return ()
    return tuple(
        ToolCall(f"{reply_id[:20]}{place:04d}", name, mapping_sample(schema))
        for place, (name, schema) in enumerate(tools[:count])
    )


def mapping_sample(schema: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """Arguments that fit a JSON schema, as far as it says types and enumerations."""
    properties = mapping(schema.get("properties"))
    names = [name for name in listed(schema.get("required")) if isinstance(name, str)] or list(properties)
    return {name: _sample(mapping(properties.get(name)), depth + 1) for name in names}


def _sample(schema: Mapping[str, Any], depth: int) -> Any:
    if choices := listed(schema.get("enum")):
        return choices[0]
    kind = text(schema.get("type")).lower()
    if kind == "object":
        return mapping_sample(schema, depth) if depth < DEEPEST_SCHEMA else {}
    return {"integer": 1, "number": 1.5, "boolean": True, "array": [], "null": None}.get(kind, "mock")
