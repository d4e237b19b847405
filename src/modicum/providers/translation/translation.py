"""What a gateway asks of a translation between two dialects."""

from typing import Protocol, TypeVar

import msgspec

from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.facts import DialectError

T = TypeVar("T")


class Translated(msgspec.Struct, frozen=True, gc=False):
    """A request for the upstream."""

    body: bytes
    left_out: tuple[str, ...] = ()
    """Hints of the caller that have no counterpart there, and defaults that it makes us set; for a header or a log."""


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

    def reply(self, body: bytes, created: int) -> bytes:
        """A whole reply in the caller's dialect. `created` in seconds since 1970.

        Raises:
            DialectError: the upstream's reply is none, or holds what has no counterpart (status 502).
        """

    def stream(self, usage_asked: bool, created: int) -> StreamTranslation:
        """A translation for one stream. `usage_asked` as in the caller's request."""

    def error(self, status: int, body: bytes) -> tuple[int, bytes]:
        """An error of the upstream in the caller's dialect: its status and body."""


def decode_request(decoder: msgspec.json.Decoder[T], body: bytes, upstream: str) -> T:
    """A request that can be translated as far as its fields go.

    Raises:
        DialectError: it is not JSON, or a field is unknown here or has the wrong type.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as wrong:
        raise unsupported(f"{wrong}", upstream) from wrong
    except UNREADABLE as wrong:
        raise DialectError(400, "the request body is not JSON") from wrong


def unsupported(what: str, upstream: str) -> DialectError:
    return DialectError(
        400,
        f"this model is served through the {upstream} API, which cannot take this request: {what}",
        "untranslatable",
    )


def unusable_reply(what: str) -> DialectError:
    return DialectError(502, f"the upstream's reply cannot be translated: {what}", "untranslatable_reply")
