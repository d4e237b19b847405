"""Claude on Vertex AI: the maker's request without its model, which stands in the path, and the maker's reply.

Source, 2026-11: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from modicum.providers.blocks import Block
from modicum.providers.body_parsing import UNREADABLE
from modicum.providers.dialect import Dialect, DialectApi, Target, quoted
from modicum.providers.facts import DialectError, ReplyFacts, RequestFacts, StreamTail
from modicum.providers.own_reply import OwnText

_PLACE = r"/v1(?:/projects/[^/?]+/locations/[^/?]+)?/publishers/anthropic/models/"
_PATH = re.compile(r"(?:/projects/[^/?]+/locations/[^/?]+)?/publishers/anthropic/models/([^/:?]+):(\w+)")
_VERBS = {"rawPredict": False, "streamRawPredict": True}
_COUNT = "count-tokens"
"""In the place of a model: the request counts tokens, and its body names the model."""
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class VertexClaude(Dialect):
    """POST .../publishers/anthropic/models/{model}:rawPredict and :streamRawPredict.

    Args:
        usual: the maker's own dialect.
    """

    name = "vertex-claude"
    api = DialectApi("vertex", provider="google", lists_models=False)
    area = re.compile(_PLACE)
    metered = re.compile(r".*:(?:rawPredict|streamRawPredict)")
    stream_ends = (b"message_stop",)
    model_in_path = True
    shared_headers = frozenset({b"anthropic-beta"})

    def __init__(self, usual: Dialect) -> None:
        self._usual = usual
        self.prompt_shape, self.words, self.mock = usual.prompt_shape, usual.words, usual.mock  # type: ignore[misc]  # one object
        self.stream_texts, self.writer = usual.stream_texts, usual.writer  # type: ignore[misc]  # as above
        self.empty_text, self.stream_cut = usual.empty_text, usual.stream_cut  # type: ignore[misc]  # as above

    def find(self, method: str, path: str) -> Target | None:
        found = _PATH.fullmatch(path.removeprefix("/v1"))
        if found is None or method != "POST" or found[2] not in _VERBS:
            return None
        is_count = found[1] == _COUNT
        return Target(_path(found[1], found[2]), is_call=not is_count, counts_tokens=is_count)

    def call_target(self, model: str, *, stream: bool) -> tuple[str, bytes]:
        return _path(model, "streamRawPredict" if stream else "rawPredict"), b""

    def target_for(self, path: str, model: str) -> str:
        return _path(model, path.rpartition(":")[2])

    def request(self, body: bytes, path: str) -> RequestFacts:
        found = _PATH.search(path)
        if found is None or found[2] not in _VERBS:
            raise DialectError(404, "the path names no model and method that are served here", "not_found")
        if found[1] == _COUNT:
            return self._usual.request(body, path)
        try:
            fields = _fields.decode(body)
        except UNREADABLE:
            return self._usual.request(body, path)  # which says what is wrong
        fields |= {"model": _raw(found[1]), "stream": _raw(_VERBS[found[2]])}
        return self._usual.request(msgspec.json.encode(fields), path)

    def with_most_output(self, body: bytes, tokens: int) -> bytes | None:
        return self._usual.with_most_output(body, tokens)

    def blocks_of(self, request: Mapping[str, Any]) -> list[Block]:  # type: ignore[override]  # those of the maker
        return self._usual.blocks_of(request)

    def reply(self, body: bytes) -> ReplyFacts:
        return self._usual.reply(body)

    def tail(self, usage_asked: bool) -> StreamTail:
        return self._usual.tail(usage_asked)

    def error(self, status: int, message: str, kind: str) -> bytes:
        return self._usual.error(status, message, kind)

    def error_event(self, status: int, message: str, kind: str) -> bytes:
        return self._usual.error_event(status, message, kind)

    def own_reply(self, own: OwnText) -> None:
        """No reply of ours, always None: whether a stream is wanted stands in the path, which `own` does not hold."""


def _path(model: str, verb: str) -> str:
    """Below the project and its place, which are the upstream's and never the caller's."""
    return quoted(f"/publishers/anthropic/models/{model}:{verb}")


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
