"""Bodies read with care: whatever bytes come, a request gets an answer and a reply gets facts. And parts of requests
changed, while all beside them stays the bytes that came.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from modicum.calls import Usage
from modicum.calls.usage import is_counted
from modicum.providers.blocks import Block
from modicum.providers.facts import MOST_MODEL_NAME, MOST_OUTPUT_TEXT, DialectError, ReplyFacts
from modicum.providers.fields import mapping, text
from modicum.providers.json_values import decode_mended

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
        return decode_mended(decoder.decode, body)
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
    if metadata is None:
        return {}
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


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_encode = msgspec.json.encode


def block_list(message: msgspec.Raw, name: str) -> list[msgspec.Raw]:
    """The blocks of a message, as they are written."""
    return _raws.decode(_fields.decode(message)[name])


def snake_case(name: str) -> str:
    """A name of JSON's usual spelling as Python writes it: `maxTokens` as `max_tokens`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def item_with_text(item: msgspec.Raw, replaced: str) -> msgspec.Raw:
    """A message, an item or a block with another text, in the form that it has: a string, or a list of one part."""
    fields = _fields.decode(item)
    name = next((name for name in ("text", "output", "content") if name in fields), "content")
    new: Any = replaced
    if name in fields and bytes(fields[name]).lstrip().startswith(b"["):
        parts = [part for part in map(_fields.decode, _raws.decode(fields[name])) if "text" in part]
        # What stands beside the text of any of them (a mark for the cache) stays.
        new = (
            [{key: value for part in parts for key, value in part.items()} | {"text": replaced}] if parts else replaced
        )
    return msgspec.Raw(_encode({**fields, name: new}))


def write_field(fields: dict[str, msgspec.Raw], path: Sequence[str], value: Any) -> None:
    """Sets a field, which may stand in others; all else stays."""
    name, *rest = path
    if rest:
        raw = fields.get(name)
        inner = _fields.decode(raw) if raw is not None and bytes(raw).lstrip().startswith(b"{") else {}
        write_field(inner, rest, value)
        value = inner
    fields[name] = msgspec.Raw(_encode(value))


def with_sorted_keys(item: msgspec.Raw) -> msgspec.Raw:
    """The same JSON with keys in the order of the alphabet, without white space. Where they stand so already, and where
    it would not be the same data (a key that comes twice, a number that would be written in another way), it stays.
    """
    value = _decode(item)
    new = msgspec.json.encode(value, order="sorted")
    plain = msgspec.json.format(bytes(item), indent=-1)
    return msgspec.Raw(new) if new != plain and len(new) == len(plain) and sorted(new) == sorted(plain) else item


_decode = msgspec.json.Decoder().decode
