"""Whether the answer of a cheap model is to be believed: checks that ask no model, and how often one was wrong."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

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
_LENGTHS: dict[str, type[str] | type[list[Any]]] = {
    "minLength": str,
    "maxLength": str,
    "minItems": list,
    "maxItems": list,
}
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


class AnswerVerdict(NamedTuple):
    is_believed: bool
    why: str = ""
    """A word of ours, without any text of the answer."""


class ModelAnswer(NamedTuple):
    """What a model answered."""

    text: str
    finish_reason: str = ""
    calls_tools: bool = False


BELIEVED = AnswerVerdict(is_believed=True)


def refused(why: str) -> AnswerVerdict:
    return AnswerVerdict(is_believed=False, why=why)


def check_complete(answer: ModelAnswer) -> AnswerVerdict:
    """Whether there is a whole answer at all: whatever the verifier, one that was cut off is not believed."""
    if not answer.text.strip() and not answer.calls_tools:
        return refused("empty")
    if answer.finish_reason.lower() not in _COMPLETE and not answer.calls_tools:
        return refused("cut_off")
    return BELIEVED


def check_schema(answer: ModelAnswer, schema: Mapping[str, Any]) -> AnswerVerdict:
    """Whether an answer is JSON of this shape. A schema with a word that is not checked here refuses all answers."""
    try:
        value = msgspec.json.decode(answer.text)
    except (msgspec.DecodeError, RecursionError):
        return refused("no_json")
    return BELIEVED if _Schemas(schema).fits(value, schema, 0) else refused("not_of_the_schema")


def check_agreement(one: ModelAnswer, other: ModelAnswer, pattern: str = "") -> AnswerVerdict:
    """Whether two answers are the same, but for case, spaces and a final stop; JSON by its values.

    Args:
        one: of one model.
        other: of another.
        pattern: what in a text is its answer: the last match, or its first group. Empty: all of it.
    """
    if one.calls_tools or other.calls_tools:
        return refused("calls_tools")
    first, second = _answer_in(one.text, pattern), _answer_in(other.text, pattern)
    return BELIEVED if first is not None and first == second else refused("no_agreement")


def is_too_wrong(wrong: int, graded: int, most_wrong: float) -> bool:
    """Whether more of what a verifier believed has failed than may, with 95 % certainty (Wilson's lower bound)."""
    from modicum.statistics.proportions import wilson  # it loads numpy

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


class _Schemas:
    """Holds a value against a schema; `root` is where its references lead."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._words: dict[str, Callable[[Any, Any, Mapping[str, Any], int], bool]] = {
            "$ref": lambda value, expected, _, depth: self.fits(value, _referred(expected, self._root), depth),
            "type": lambda value, expected, _, __: _is_of_types(value, expected),
            "enum": lambda value, expected, _, __: isinstance(expected, list) and value in expected,
            "const": lambda value, expected, _, __: bool(value == expected),
            "anyOf": lambda value, expected, _, depth: any(self.fits(value, one, depth) for one in expected),
            "allOf": lambda value, expected, _, depth: all(self.fits(value, one, depth) for one in expected),
            "items": lambda value, expected, _, depth: all(self.fits(one, expected, depth) for one in _items(value)),
            "required": lambda value, expected, _, __: (
                all(name in value for name in expected) if isinstance(value, dict) else True
            ),
            "properties": self._fit_properties,
            "additionalProperties": self._fit_others,
        }

    def fits(self, value: Any, schema: Any, depth: int) -> bool:
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, Mapping) or depth > _MOST_DEPTH:
            return False
        if value is None and schema.get("nullable") is True:
            return True
        return all(self._fits_word(word, expected, value, schema, depth + 1) for word, expected in schema.items())

    def _fits_word(self, word: str, expected: Any, value: Any, schema: Mapping[str, Any], depth: int) -> bool:
        if word in _ANNOTATIONS:
            return True
        read = self._words.get(word)
        try:
            return _is_within(word, expected, value) if read is None else read(value, expected, schema, depth)
        except TypeError:  # the schema itself is none
            return False

    def _fit_properties(self, value: Any, expected: Any, _: Mapping[str, Any], depth: int) -> bool:
        names = set(expected) & set(value) if isinstance(value, dict) else ()
        return all(self.fits(value[name], expected[name], depth) for name in names)

    def _fit_others(self, value: Any, expected: Any, schema: Mapping[str, Any], depth: int) -> bool:
        names = set(value) - set(schema.get("properties", ())) if isinstance(value, dict) else ()
        return all(self.fits(value[name], expected, depth) for name in names)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_of_types(value: Any, names: Any) -> bool:
    return any(_is_of_type(value, str(one).lower()) for one in (names if isinstance(names, list) else [names]))


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
    if word in _LENGTHS:
        return not isinstance(value, _LENGTHS[word]) or _is_beyond(word, len(value), bound)
    if word in {"minimum", "maximum"}:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return not is_number or _is_beyond(word, value, bound)
    return False


def _is_beyond(word: str, value: float, bound: float) -> bool:
    return value >= bound if word.startswith("min") else value <= bound


def _referred(name: Any, root: Mapping[str, Any]) -> Any:
    place: Any = root
    if not isinstance(name, str) or not name.startswith("#"):
        return False
    for part in name.lstrip("#").strip("/").split("/") if name != "#" else ():
        if not isinstance(place, Mapping) or part not in place:
            return False
        place = place[part]
    return place
