"""Whether the answer of a cheap model is to be believed: checks that ask no model, and how often one was wrong."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from modicum.statistics.proportions import wilson

_COMPLETE = frozenset({"stop", "end_turn", "stop_sequence", "completed"})
"""Of all APIs, in small letters."""
_ANNOTATIONS = frozenset(
    {"title", "description", "default", "examples", "$schema", "$id", "$defs", "definitions", "$comment", "format"}
    | {"deprecated", "readOnly", "writeOnly", "propertyOrdering", "nullable"}
)
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
    "integer": (int,),
    "null": (type(None),),
}
_LENGTHS: dict[str, type] = {"minLength": str, "maxLength": str, "minItems": list, "maxItems": list}
_MOST_DEPTH = 64
_MOST_TEXT = 100_000
_SPACES = re.compile(r"\s+")
FEWEST_GRADED = 20
"""Believed tasks with an outcome, below which nothing is said of a verifier."""


class VerifierKind(StrEnum):
    SCHEMA = "schema"
    """The answer is JSON of the shape that the call asks for."""
    AGREEMENT = "agreement"
    """A second cheap model gives the same answer."""
    HTTP = "http"
    """A program of the owner's says so: tests, or a judge."""


class Verdict(NamedTuple):
    is_believed: bool
    why: str = ""
    """A word of ours, without any text of the answer."""


class Answer(NamedTuple):
    """What a model answered."""

    text: str
    finish_reason: str = ""
    calls_tools: bool = False


BELIEVED = Verdict(is_believed=True)


def refused(why: str) -> Verdict:
    return Verdict(is_believed=False, why=why)


def check_complete(answer: Answer) -> Verdict:
    """Whether there is a whole answer at all: whatever the verifier, one that was cut off is not believed."""
    if not answer.text.strip() and not answer.calls_tools:
        return refused("empty")
    if answer.finish_reason.lower() not in _COMPLETE and not answer.calls_tools:
        return refused("cut_off")
    return BELIEVED


def check_schema(answer: Answer, schema: Mapping[str, Any]) -> Verdict:
    """Whether an answer is JSON of this shape. A schema with a word that is not checked here refuses all answers."""
    try:
        value = msgspec.json.decode(answer.text)
    except (msgspec.DecodeError, RecursionError):
        return refused("no_json")
    return BELIEVED if _fits(value, schema, schema, 0) else refused("not_of_the_schema")


def check_agreement(one: Answer, other: Answer, pattern: str = "") -> Verdict:
    """Whether two answers are the same, but for case, spaces and a final stop; JSON by its values.

    Args:
        pattern: what in a text is its answer: the last match, or its first group. Empty: all of it.
    """
    if one.calls_tools or other.calls_tools:
        return refused("calls_tools")
    first, second = _answer_in(one.text, pattern), _answer_in(other.text, pattern)
    return BELIEVED if first is not None and first == second else refused("no_agreement")


def is_too_wrong(wrong: int, graded: int, most_wrong: float) -> bool:
    """Whether more of what a verifier believed has failed than may, with 95 % certainty (Wilson's lower bound)."""
    return graded >= FEWEST_GRADED and wilson(wrong, graded)[0] > most_wrong


def _answer_in(text: str, pattern: str) -> Any:
    text = text[:_MOST_TEXT]
    if pattern:
        matches = list(re.finditer(pattern, text))
        if not matches:
            return None
        text = matches[-1].group(1 if matches[-1].re.groups else 0) or ""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return _SPACES.sub(" ", text).strip().rstrip(".").casefold() or None


def _fits(value: Any, schema: Any, root: Mapping[str, Any], depth: int) -> bool:
    if isinstance(schema, bool):
        return schema
    if not isinstance(schema, Mapping) or depth > _MOST_DEPTH:
        return False
    if value is None and schema.get("nullable") is True:
        return True
    return all(
        word in _ANNOTATIONS or _fits_word(word, wanted, value, schema, root, depth) for word, wanted in schema.items()
    )


def _fits_word(  # noqa: PLR0913 - a schema's word is read beside its neighbours
    word: str, wanted: Any, value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], depth: int
) -> bool:
    if word == "$ref":
        return _fits(value, _referred(wanted, root), root, depth + 1)
    if word == "type":
        return any(_is_of_type(value, str(one).lower()) for one in (wanted if isinstance(wanted, list) else [wanted]))
    if word == "enum":
        return isinstance(wanted, list) and value in wanted
    if word == "const":
        return bool(value == wanted)
    if word in {"anyOf", "allOf"} and isinstance(wanted, list):
        return (any if word == "anyOf" else all)(_fits(value, one, root, depth + 1) for one in wanted)
    if word in {"properties", "required", "additionalProperties"}:
        return not isinstance(value, dict) or _fits_object(word, wanted, value, schema, root, depth)
    if word == "items":
        return not isinstance(value, list) or all(_fits(one, wanted, root, depth + 1) for one in value)
    return _is_within(word, wanted, value)


def _fits_object(  # noqa: PLR0913 - as above
    word: str, wanted: Any, value: dict[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], depth: int
) -> bool:
    if word == "required":
        return isinstance(wanted, list) and all(name in value for name in wanted)
    if word == "properties":
        return isinstance(wanted, Mapping) and all(
            _fits(value[name], one, root, depth + 1) for name, one in wanted.items() if name in value
        )
    named = schema.get("properties", {})
    return all(_fits(one, wanted, root, depth + 1) for name, one in value.items() if name not in named)


def _is_of_type(value: Any, name: str) -> bool:
    if name not in _TYPES or (isinstance(value, bool) and name != "boolean"):
        return False
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[name])


def _is_within(word: str, bound: Any, value: Any) -> bool:
    """Bounds of numbers and lengths. A word that is none of these is not checked here, so nothing fits it."""
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        return False
    compared: Any = None
    if word in {"minimum", "maximum"}:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        compared = value
    elif word in _LENGTHS:
        if not isinstance(value, _LENGTHS[word]):
            return True
        compared = len(value)
    else:
        return False
    return bool(compared >= bound if word.startswith("min") else compared <= bound)


def _referred(name: Any, root: Mapping[str, Any]) -> Any:
    place: Any = root
    if not isinstance(name, str) or not name.startswith("#"):
        return False
    for part in name.lstrip("#").strip("/").split("/") if name != "#" else ():
        if not isinstance(place, Mapping) or part not in place:
            return False
        place = place[part]
    return place
