"""Claude where a cloud serves it: what is written for the maker's own API, with the few fields that a cloud wants
otherwise. Whoever speaks another dialect comes by way of the maker's.
"""

from collections.abc import Callable

import msgspec

from modicum.providers.bedrock.frames import FrameBuffer, read_frame
from modicum.providers.bedrock_invoke.dialect import event_in, is_understood
from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.dialect import Dialect
from modicum.providers.facts import DialectError
from modicum.providers.translation import errors
from modicum.providers.translation.translation import StreamTranslation, Translated, Translation, unsupported

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.encode
NONE_CUSTOM: frozenset[str] = frozenset()


class ClaudeOn:
    """From a caller's dialect to Claude on a cloud.

    Args:
        caller: whose requests these are.
        upstream: the cloud's dialect.
        version: what it wants for `anthropic_version`.
        into: from the caller's dialect to the maker's; None: it is the maker's.
        unframed: gives the maker's stream out of the cloud's; None: they are the same.
    """

    def __init__(
        self,
        caller: Dialect,
        upstream: str,
        version: str,
        into: Translation | None = None,
        unframed: "Callable[[], Unframed] | None" = None,
    ) -> None:
        self._caller, self._version, self._into, self._unframed = caller, version, into, unframed
        self.caller = caller.name
        self.upstream = upstream

    def request(self, body: bytes, model: str) -> Translated:
        if self._unframed is not None and not is_understood(model):
            raise unsupported(
                f"of Bedrock's models only those of Anthropic are translated; ask for '{model[:80]}' as "
                "Bedrock's clients do (converse)",
                "Bedrock",
            )
        translated = Translated(body) if self._into is None else self._into.request(body, model)
        try:
            fields = _fields.decode(translated.body)
        except UNREADABLE as wrong:
            raise DialectError(400, "the request body is not JSON") from wrong
        for name in ("model", "stream"):
            fields.pop(name, None)
        fields.setdefault("anthropic_version", msgspec.Raw(_encode(self._version)))
        return msgspec.structs.replace(translated, body=_encode(fields))

    def reply(self, body: bytes, created: int, custom_tools: frozenset[str] = NONE_CUSTOM) -> bytes:
        return body if self._into is None else self._into.reply(body, created, custom_tools)

    def stream(self, usage_asked: bool, created: int, custom_tools: frozenset[str] = NONE_CUSTOM) -> StreamTranslation:
        after = None if self._into is None else self._into.stream(usage_asked, created, custom_tools)
        before = None if self._unframed is None else self._unframed()
        return _Then(before, after)

    def error(self, status: int, body: bytes) -> tuple[int, bytes]:
        return errors.error(self._caller, status, body)


class _Then:
    """A stream out of its frames, and then into the caller's dialect."""

    def __init__(self, before: "Unframed | None", after: StreamTranslation | None) -> None:
        self._before, self._after = before, after

    def feed(self, chunk: bytes) -> bytes:
        events = chunk if self._before is None else self._before.feed(chunk)
        return events if self._after is None else self._after.feed(events)

    def end(self) -> bytes:
        return b"" if self._after is None else self._after.end()


class Unframed:
    """Frames of Bedrock as the events that its maker's API would have sent."""

    def __init__(self) -> None:
        self._frames = FrameBuffer()

    def feed(self, chunk: bytes) -> bytes:
        frames = filter(None, map(read_frame, self._frames.feed(chunk))) if not self._frames.is_broken else ()
        return b"".join(_event(document) for frame in frames if (document := event_in(frame)))


class _Kind(msgspec.Struct):
    type: str = ""


_kind = msgspec.json.Decoder(_Kind)


def _event(document: bytes) -> bytes:
    try:
        kind = _kind.decode(document).type
    except UNREADABLE:
        return b""
    return b"event: %b\ndata: %b\n\n" % (kind.encode("utf-8", "replace"), document)
