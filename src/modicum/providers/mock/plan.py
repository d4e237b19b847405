"""What the mock provider will say to one request, before it is put into a dialect."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from modicum.calls import SegmentKind, Usage
from modicum.providers.blocks import Block
from modicum.providers.bodies import encoded
from modicum.providers.dialect import RequestFacts
from modicum.providers.fields import listed, mapping, text
from modicum.providers.mock.wanted import Wanted

SENTENCE = (
    "the tide comes in at noon and goes out again before the boats are home so we wait on the quay and count the gulls "
    "while rain moves over the water from the west"
)
WORDS = SENTENCE.split()

DEEPEST_SCHEMA = 6


class ToolCall(NamedTuple):
    call_id: str
    name: str
    arguments: dict[str, Any]

    @property
    def arguments_json(self) -> str:
        return encoded(self.arguments).decode()


class Planned(NamedTuple):
    reply_id: str
    """40 hexadecimal digits; each dialect puts its prefix before it."""
    model: str
    created: int
    """Seconds since 1970."""
    usage: Usage | None
    """None: the reply is to hold no usage."""
    usage_asked: bool
    reasoning: str
    pieces: tuple[str, ...]
    """The text, as a stream cuts it."""
    calls: tuple[ToolCall, ...]
    finish: str
    """`stop`, `length` or `tool_calls`."""

    @property
    def said(self) -> str:
        return "".join(self.pieces)


class Asked(NamedTuple):
    """A request, as far as the mock provider looks into it."""

    facts: RequestFacts
    request: Mapping[str, Any]
    blocks: Sequence[Block]


def planned(asked: Asked, prompt: Usage, wanted: Wanted, seed: bytes, created: int) -> Planned:
    """The reply to a request. `prompt` holds the input buckets; same seed, same reply."""
    reply_id = hashlib.blake2b(seed, digest_size=20).hexdigest()
    calls = _calls(asked, wanted, reply_id)
    bound = asked.facts.most_output_tokens
    reasoning = wanted.reasoning_tokens if bound is None else min(wanted.reasoning_tokens, bound)
    said = wanted.says.split()
    asked_for = len(said) or wanted.output_tokens
    left = asked_for if bound is None else min(asked_for, bound - reasoning)
    words = 0 if calls else left
    visible = words or (1 + sum(len(call.arguments_json) for call in calls) // 4 if calls else 0)
    counted = msgspec.structs.replace(prompt, output_visible=visible, output_reasoning=reasoning)
    finish = "tool_calls" if calls else "length" if left < asked_for else "stop"
    start = int(reply_id[:4], 16)
    return Planned(
        reply_id=reply_id,
        model=asked.facts.model,
        created=created,
        usage=None if wanted.fault == "no_usage" else counted,
        usage_asked=asked.facts.usage_asked,
        reasoning=" ".join(_words(start + 1, reasoning)),
        pieces=_pieces(said[:words] or list(_words(start, words)), wanted.chunks),
        calls=calls,
        finish=finish,
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


def _calls(asked: Asked, wanted: Wanted, reply_id: str) -> tuple[ToolCall, ...]:
    tools = list(tools_of(asked.request))
    count = min(max(wanted.tool_calls, _is_forced(asked.request)), len(tools))
    if asked.blocks and asked.blocks[-1].kind is SegmentKind.TOOL_RESULT:
        return ()
    return tuple(
        ToolCall(f"{reply_id[:20]}{place:04d}", name, mapping_sample(schema))
        for place, (name, schema) in enumerate(tools[:count])
    )


def _is_forced(request: Mapping[str, Any]) -> bool:
    choice = request.get("tool_choice")
    if isinstance(choice, str):
        return choice == "required"
    if isinstance(choice, Mapping):
        return text(choice.get("type")) in {"any", "tool", "function"}
    mode = mapping(mapping(request.get("toolConfig")).get("functionCallingConfig")).get("mode")
    return mode == "ANY"


def tools_of(request: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name and schema of each function that a request offers, in any dialect."""
    for tool in map(mapping, listed(request.get("tools"))):
        declared = listed(tool.get("functionDeclarations"))
        for function in map(mapping, declared or [tool.get("function") or tool]):
            schema = next((function[name] for name in _SCHEMAS if function.get(name)), None)
            if name := text(function.get("name")):
                yield name, mapping(schema)


_SCHEMAS = ("parameters", "input_schema", "parametersJsonSchema")


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
