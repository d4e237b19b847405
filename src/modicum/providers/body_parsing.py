"""Bodies read with care: whatever bytes come, a request gets an answer and a reply gets facts."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec

from modicum.calls import Usage
from modicum.calls.usage import is_counted
from modicum.providers.blocks import Block
from modicum.providers.facts import MOST_MODEL_NAME, MOST_OUTPUT_TEXT, DialectError, ReplyFacts
from modicum.providers.fields import mapping, text
from modicum.providers.json_values import tolerant

T = TypeVar("T")

MOST_IDENTIFIER = 200

UNREADABLE = (ValueError, RecursionError)
"""What a JSON decoder raises: msgspec's errors are ValueErrors, and deep nesting is a RecursionError."""


def parse_request(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """A request, decoded.

    Raises:
        DialectError: it is not JSON, or a field has the wrong type.
    """
    try:
        return tolerant(decoder.decode)(body)
    except msgspec.ValidationError as wrong:
        raise DialectError(400, f"the request is not of the right shape: {wrong}") from wrong
    except UNREADABLE as wrong:
        raise DialectError(400, "the request body is not JSON") from wrong


def parse_request_object(body: bytes) -> dict[str, Any]:
    """A whole request, as a dictionary.

    Raises:
        DialectError: it is not a JSON object.
    """
    return parse_request(_OBJECT, body)


_OBJECT = msgspec.json.Decoder(dict[str, Any])


def check_model_name(name: str | None) -> str:
    """The name, if it can stand in a log line, a label and a path.

    Raises:
        DialectError: it is missing, too long, or holds what no model name holds.
    """
    if not name:
        raise DialectError(400, "the request names no model: add a 'model'", "model_missing")
    if len(name) > MOST_MODEL_NAME or not name.isprintable() or ".." in name:
        raise DialectError(400, "the 'model' of the request is no model name", "model_invalid")
    return name


def metadata_texts(metadata: Any) -> dict[str, str]:
    """The entries of a `metadata` object that are texts, numbers or flags."""
    texts = {}
    for name, value in mapping(metadata).items():
        if isinstance(value, bool):
            texts[text(name)] = "true" if value else "false"
        elif isinstance(value, str | int | float):
            texts[text(name)] = text(str(value))
    return texts


def session_from_cache_key(prompt_cache_key: str | None) -> str:
    """A cache key that names one conversation, as agents (Codex) choose it: a UUID. Others name an app or a prompt."""
    return prompt_cache_key if prompt_cache_key and _UUID.fullmatch(prompt_cache_key) else ""


_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def identifier(value: Any) -> str:
    """An identifier that an upstream gave (an id, a model, a kind of error), fit for a log line; else empty."""
    if value.__class__ is str and value.isascii() and value.isprintable() and len(value) <= MOST_IDENTIFIER:
        return value  # as nearly all are
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    found = text(value)[:MOST_IDENTIFIER]
    return found if found.isprintable() else ""


class MainCounts(NamedTuple):
    """The names that a dialect's usage objects have for what must be counted: a null there is no count of 0."""

    prompt: tuple[str, ...]
    output: tuple[str, ...] = ()
    """It may be left out, where there is none; empty: nothing tells whether it was counted."""


def parse_usage(
    convert: Callable[[Mapping[str, Any]], Usage], usage: Any, needed: MainCounts | None = None
) -> tuple[Usage | None, str]:
    """The buckets of a usage object, or None and why: figures that are none or missing, or all of them zero.

    No call has an empty prompt and an empty reply; who says so has not counted.
    """
    if usage.__class__ is not dict and not isinstance(usage, Mapping):
        return None, ""
    if needed is not None and not (
        is_counted(usage, *needed.prompt) and is_counted(usage, *needed.output, may_lack=True)
    ):
        return None, "the usage does not count the prompt and the reply"
    try:
        buckets = convert(usage)
    except ValueError:
        return None, "the usage holds figures that are no counts of tokens"
    if buckets.total_tokens == 0:
        return None, "the usage is all zeros"
    return buckets, ""


def join_output(blocks: Iterable[Block]) -> tuple[str, int]:
    """Text for an estimate, and how many characters there were in all."""
    made = "\n".join(f"{block.tool} {block.text}" if block.tool else block.text for block in blocks)
    return made[:MOST_OUTPUT_TEXT], len(made)


def error_kind_of(body: Mapping[str, Any]) -> str:
    """The word for an error in a reply: providers nest it, wrap it, or say it plainly. Empty: the reply is no error."""
    error = body.get("error")
    if isinstance(error, Mapping):
        for name in ("type", "status", "code"):
            if kind := identifier(error.get(name)):
                return kind
        return "error"
    if error or body.get("object") == "error" or "detail" in body:
        return identifier(body.get("type")) or "error"
    return ""


def unreadable_reply(body: bytes) -> ReplyFacts:
    """The facts of a reply that is none."""
    return ReplyFacts(problem="the reply is empty" if not body.strip() else "the reply is not of its dialect's shape")


def encode(answer: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(answer)
