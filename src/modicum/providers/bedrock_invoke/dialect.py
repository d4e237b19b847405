"""Claude on Bedrock in the words of its maker: the maker's request without model and stream, which stand in the path,
and its reply; a stream's events in frames.

Sources, 2026-11: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html.
"""

import binascii
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from modicum.providers.bedrock.api import BEDROCK
from modicum.providers.bedrock.errors import error_body, error_frame
from modicum.providers.bedrock.frames import CONTENT_TYPE, Frame, write_frame
from modicum.providers.bedrock.stream import FramedTail
from modicum.providers.blocks import Block
from modicum.providers.body_parsing import UNREADABLE, encode
from modicum.providers.dialect import Dialect, Target
from modicum.providers.event_stream import event_data
from modicum.providers.facts import DialectError, ReplyFacts, RequestFacts, StreamTail
from modicum.providers.fields import mapping
from modicum.providers.own_reply import OwnText
from modicum.providers.planned_reply import PlannedReply, ReplyWriter
from modicum.providers.stream import EventTail

_PATH = re.compile(r"/model/([^?]+)/(invoke|invoke-with-response-stream)(?:\?|$)")
_MAKER = re.compile(r"(?:^|[./])anthropic\.|^arn:")
"""In the names of models whose bodies are understood; what stands behind a profile of one's own, its address does not
say."""
_CHUNK = "chunk"
"""The type of the frames that hold events."""
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class BedrockInvoke(Dialect):
    """POST /model/{id}/invoke and /invoke-with-response-stream, for models of one maker.

    Args:
        usual: the maker's own dialect.
    """

    name = "bedrock-invoke"
    api = BEDROCK
    area = re.compile("/model/")
    metered = re.compile(r"/model/.+/invoke(?:-with-response-stream)?")
    streams_frames = True
    model_in_path = True
    other_paths = re.compile("(?=/(?:model|async-invoke|guardrail)(?:/|$))")

    def __init__(self, usual: Dialect) -> None:
        self._usual = usual
        self.prompt_shape, self.words, self.mock = usual.prompt_shape, usual.words, usual.mock  # type: ignore[misc]  # one object
        self.empty_text = usual.empty_text  # type: ignore[misc]  # as above
        self.writer = ReplyWriter(  # type: ignore[misc]  # as above
            usual.writer.whole,
            self._frames,
            content_type=lambda plan: CONTENT_TYPE,  # noqa: ARG005 - of every stream
        )

    def find(self, method: str, path: str) -> Target | None:
        found = _PATH.fullmatch(path)
        if found is None or method != "POST" or not is_understood(found[1]):
            return None
        return Target(_path(found[1], found[2]))

    def call_target(self, model: str, *, stream: bool) -> tuple[str, bytes]:
        return _path(model, "invoke-with-response-stream" if stream else "invoke"), b""

    def target_for(self, path: str, model: str) -> str:
        return _path(model, path.rpartition("/")[2])

    def request(self, body: bytes, path: str) -> RequestFacts:
        found = _PATH.match(path)
        if found is None:
            raise DialectError(404, "the path names no model and method that are served here", "not_found")
        try:
            fields = _fields.decode(body)
        except UNREADABLE:
            fields = {}  # said so below
        fields |= {"model": _raw(found[1]), "stream": _raw(found[2] != "invoke")}
        return self._usual.request(msgspec.json.encode(fields) if len(fields) > 2 else body, path)

    def blocks_of(self, request: Mapping[str, Any]) -> list[Block]:  # type: ignore[override]  # those of the maker
        return self._usual.blocks_of(request)

    def with_headers(self, body: bytes, headers: Mapping[bytes, bytes]) -> bytes:
        betas = headers.get(b"anthropic-beta")
        if betas is None:
            return body
        fields = _fields.decode(body)
        names = [name.strip() for name in betas.decode("ascii", "replace").split(",")]
        fields.setdefault("anthropic_beta", msgspec.Raw(msgspec.json.encode([name for name in names if name])))
        return msgspec.json.encode(fields)

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            document = mapping(msgspec.json.decode(body))
        except UNREADABLE:
            document = {}
        if "message" in document and "type" not in document:
            return ReplyFacts(error_kind=str(document.get("__type") or "error")[:64])
        return msgspec.structs.replace(self._usual.reply(body), model="")

    def tail(self, usage_asked: bool) -> StreamTail:
        inner = self._usual.tail(usage_asked)
        assert isinstance(inner, EventTail)  # noqa: S101 - the maker's streams are events
        return FramedTail(inner, event_in)

    def error(self, status: int, message: str, kind: str) -> bytes:  # noqa: ARG002 - there is no place for it
        return error_body(status, message)

    def error_event(self, status: int, message: str, kind: str) -> bytes:  # noqa: ARG002 - as above
        return error_frame(status, message)

    def own_reply(self, own: OwnText) -> None:
        """No reply of ours: nobody asked for one in frames yet."""

    def _frames(self, plan: PlannedReply) -> Iterator[bytes]:
        for event in self._usual.writer.events(plan):
            yield from (frame_of(data) for data in event_data(event))


def is_understood(model: str) -> bool:
    """Whether a model's bodies are those of its maker's own API."""
    return _MAKER.search(model) is not None


def frame_of(event: bytes) -> bytes:
    """An event of the maker's stream as Bedrock sends it."""
    return write_frame(_CHUNK, b'{"bytes":"%b"}' % b64encode(event))


def event_in(frame: Frame) -> bytes:
    """The way back; an exception as the maker's event of an error, a frame of a kind that nobody knows as an event of
    that type.
    """
    if frame.is_exception:
        try:
            message = mapping(msgspec.json.decode(frame.payload)).get("message")
        except UNREADABLE:
            message = None
        error = {"type": _SNAKE.sub("_", frame.kind).lower() or "api_error", "message": str(message or "")}
        return encode({"type": "error", "error": error})
    try:
        return binascii.a2b_base64(msgspec.json.decode(frame.payload, type=_Chunk).bytes)
    except (*UNREADABLE, ValueError):
        return b"" if frame.kind == _CHUNK else _strange(frame)


def _strange(frame: Frame) -> bytes:
    try:
        fields = mapping(msgspec.json.decode(frame.payload))
    except UNREADABLE:
        fields = {}
    return encode({**fields, "type": frame.kind})


class _Chunk(msgspec.Struct):
    bytes: str


_SNAKE = re.compile(r"(?<=[a-z])(?=[A-Z])")


def _path(model: str, verb: str) -> str:
    return f"/model/{quote(model, safe='')}/{verb}"


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
