"""What a gateway asks of a translation between two dialects."""

from collections.abc import Container, Iterable
from itertools import islice
from typing import Any, Protocol, TypeVar

import msgspec

from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.facts import DialectError
from modicum.providers.fields import listed
from modicum.providers.translation.unknown_fields import is_unknown_field, without_unknown

T = TypeVar("T")

MOST_NAMES = 40
MOST_NAME = 100


class Translated(msgspec.Struct, frozen=True, gc=False):
    """A request for the upstream."""

    body: bytes
    left_out: tuple[str, ...] = ()
    """Hints of the caller that have no counterpart there, and defaults that it makes us set; for a header or a log."""
    custom_tools: frozenset[str] = frozenset()
    """Tools that take a text, where the upstream has only such as take an object: the reply's translation must know."""


class StreamTranslation(Protocol):
    """One stream, event by event. Chunks may be cut anywhere. What cannot be translated ends it with an error event."""

    def feed(self, chunk: bytes) -> bytes:
        """What these bytes of the upstream are for the caller; empty where they end no event."""

    def end(self) -> bytes:
        """What the end of the upstream's stream is for the caller. A stream that broke off gets no regular end."""


class Translation(Protocol):
    """From a caller's dialect to an upstream's, and back."""

    @property
    def caller(self) -> str:
        """Name of the caller's dialect."""

    @property
    def upstream(self) -> str:
        """Name of the upstream's dialect."""

    def request(self, body: bytes, model: str) -> Translated:
        """The request for the upstream's `model`. Its stream, if it is one, will hold usage.

        Raises:
            DialectError: it holds what has no counterpart; the message says what.
        """

    def reply(self, body: bytes, created: int, custom_tools: frozenset[str] = frozenset()) -> bytes:
        """A whole reply in the caller's dialect. `created` in seconds since 1970; `custom_tools` as in `Translated`.

        Raises:
            DialectError: the upstream's reply is none, or holds what has no counterpart (status 502).
        """

    def stream(self, usage_asked: bool, created: int, custom_tools: frozenset[str] = frozenset()) -> StreamTranslation:
        """A translation for one stream. `usage_asked` as in the caller's request, `custom_tools` as in `Translated`."""

    def error(self, status: int, body: bytes) -> tuple[int, bytes]:
        """An error of the upstream in the caller's dialect: its status and body."""


def decode_request(
    decoder: msgspec.json.Decoder[T], body: bytes, upstream: str, left_out: list[str], hints: Container[str] = ()
) -> T:
    """A request that can be translated as far as its fields go. What stands in its messages and tools beside what is
    understood is named in `left_out`, and so are `hints`: fields at its top that another client's provider knows.

    Raises:
        DialectError: it is not JSON, or a field at its top is unknown here, or one has the wrong type.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as wrong:
        if not is_unknown_field(wrong):
            raise unsupported(f"{wrong}", upstream) from wrong
    except UNREADABLE as wrong:
        raise DialectError(400, "the request body is not JSON") from wrong
    try:
        document, gone = without_unknown(msgspec.json.decode(body), decoder.type)
        for name in [name for name in document if name in hints]:
            del document[name]
            gone.append(name)
        left_out += gone
        return msgspec.convert(document, decoder.type)
    except msgspec.ValidationError as wrong:
        raise unsupported(f"{wrong}", upstream) from wrong
    except UNREADABLE as wrong:  # pragma: no cover - it was readable a moment ago
        raise DialectError(400, "the request body is not JSON") from wrong


def left_out_names(left_out: Iterable[str]) -> tuple[str, ...]:
    """What was left out, each once, as a header can hold it: parts of these names are the caller's own words."""
    names = (name if name.isascii() and name.isprintable() else ascii(name) for name in dict.fromkeys(left_out))
    return tuple(name[:MOST_NAME] for name in islice(names, MOST_NAMES))


def unsupported(what: str, upstream: str) -> DialectError:
    return DialectError(
        400,
        f"this model is served through the {upstream} API, which cannot take this request: {what}",
        "untranslatable",
    )


def unusable_reply(what: str) -> DialectError:
    return DialectError(502, f"the upstream's reply cannot be translated: {what}", "untranslatable_reply")


def reply_with_one_choice(body: bytes) -> tuple[dict[str, Any], list[Any]]:
    """A chat completion's reply, and its choices: the one that other APIs can hold.

    Raises:
        DialectError: it is no such reply.
    """
    try:
        parsed = msgspec.json.decode(body, type=dict)
    except UNREADABLE as wrong:
        raise unusable_reply("it is not JSON") from wrong
    choices = listed(parsed.get("choices"))
    if len(choices) != 1:
        raise unusable_reply("it does not hold one choice")
    return parsed, choices
