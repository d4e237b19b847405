"""What the mock provider will say to one request."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from modicum.calls import SegmentKind, Usage
from modicum.providers.answer_schema import schema_in
from modicum.providers.blocks import Block
from modicum.providers.facts import RequestFacts
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.schema_sample import sample
from modicum.providers.planned_reply import PlannedReply, ToolCall

SENTENCE = (
    "the tide comes in at noon and goes out again before the boats are home so we wait on the quay and count the gulls "
    "while rain moves over the water from the west"
)
WORDS = SENTENCE.split()


class MockRequest(NamedTuple):
    """A request, as far as the mock provider looks into it."""

    facts: RequestFacts
    body: Mapping[str, Any]
    blocks: Sequence[Block]
    tools: Sequence[tuple[str, Mapping[str, Any]]]
    """Name and schema of each function that it offers."""
    forces_tool: bool
    """Whether the reply must call one."""
    chosen_tool: str = ""
    """Which one; empty: any."""
    path: str = ""


def plan_reply(request: MockRequest, prompt: Usage, options: MockOptions, seed: bytes, created: int) -> PlannedReply:
    """The reply to a request. `prompt` holds the input buckets; same seed, same reply."""
    reply_id = hashlib.blake2b(seed, digest_size=20).hexdigest()
    calls = _calls(request, options, reply_id)
    bound = None if options.fault == "over_bound" else request.facts.most_output_tokens
    reasoning = options.reasoning_tokens if bound is None else min(options.reasoning_tokens, bound)
    given_words = options.says.split() or _schema_words(request)
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
        path=request.path.partition("?")[0],
        request=request.body,
    )


def _schema_words(request: MockRequest) -> list[str]:
    """The answer in the shape that the request asks for, in words; none: it asks for no shape."""
    schema = schema_in(request.body)
    if schema is None:
        return []
    answer = msgspec.json.encode(sample(schema) if schema else {"mock": True})
    return msgspec.json.format(answer, indent=1).decode().split(" ")


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
    tools = _tools_to_call(request, options)
    if request.blocks and request.blocks[-1].kind is SegmentKind.TOOL_RESULT:
        return ()
    return tuple(
        ToolCall(f"{reply_id[:20]}{place:04d}", name, mapping_sample(schema))
        for place, (name, schema) in enumerate(tools)
    )


def _tools_to_call(request: MockRequest, options: MockOptions) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """The tool that the request chooses; those that its last words name; else as many as the header wants."""
    tools = request.tools
    if request.chosen_tool:
        return [tool for tool in tools if tool[0] == request.chosen_tool][:1]
    last = request.blocks[-1].text if request.blocks and request.blocks[-1].kind is SegmentKind.USER else ""
    named = [tool for tool in tools if tool[0] and re.search(rf"\b{re.escape(tool[0])}\b", last)]
    if named and not options.tool_calls:
        return named
    return tools[: min(max(options.tool_calls, request.forces_tool), len(tools))]


def mapping_sample(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments that fit a JSON schema."""
    found = sample(schema)
    return found if isinstance(found, dict) else {}
