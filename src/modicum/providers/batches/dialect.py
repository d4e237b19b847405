"""The paths of batches and files of one API: asking for a batch is a call, all else is aside.

What a batch costs is known when its results come: until then its record says that nobody has counted.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from modicum.providers.batches.facts import BatchShape
from modicum.providers.blocks import Block
from modicum.providers.body_parsing import UNREADABLE, error_kind_of
from modicum.providers.dialect import Dialect, Target, quoted
from modicum.providers.facts import ReplyFacts, RequestFacts
from modicum.providers.fields import mapping
from modicum.providers.planned_reply import ReplyWriter
from modicum.providers.stream import SilentTail
from modicum.providers.unmetered.dialect import path_name


class BatchPaths(Dialect):
    """Batches and files.

    Args:
        usual: the API's first dialect, which reads the replies in results, and in whose words errors are.
        shape: how the API has batches.
    """

    bills_text = generates = False
    has_batches = True
    unbounded = "what a batch costs is known when its results come"
    writer = ReplyWriter(lambda plan: b"")  # noqa: ARG005 - batches of the mock provider are its server's

    def __init__(self, usual: Dialect, shape: BatchShape) -> None:
        self._usual, self.shape = usual, shape
        self.name = f"{usual.api.name}-batches"  # type: ignore[misc]  # one object for each API
        self.area = shape.area  # type: ignore[misc]  # as above
        self.api = usual.api  # type: ignore[misc]  # as above
        self.paths = {}  # type: ignore[misc]  # as above
        self.has_model = shape.names_model  # type: ignore[misc]  # as above
        self.model_in_path = shape.model_in_path  # type: ignore[misc]  # as above

    def find(self, method: str, path: str) -> Target | None:
        if method == "POST" and (below := self.shape.created(path)):
            return Target(quoted(below))
        found = self.shape.find(method, path)
        if found is None:
            return None
        return Target(quoted(found.path), is_call=False, is_streamed=not found.is_batch, batch=found, root=found.root)

    def target_for(self, path: str, model: str) -> str:
        return self.shape.target_for(path, model)

    def request(self, body: bytes, path: str) -> RequestFacts:
        return RequestFacts(model=self.shape.model(body, path) or path_name(path))

    @staticmethod
    def blocks_of(request: Mapping[str, Any]) -> list[Block]:  # noqa: ARG004 - its calls are not taken apart
        return []

    def segments(self, body: bytes) -> list[Block]:  # noqa: ARG002 - as above
        return []

    def reply(self, body: bytes) -> ReplyFacts:
        """Of a batch that was asked for: nobody has counted yet."""
        try:
            batch = dict(mapping(msgspec.json.decode(body)))
        except UNREADABLE:
            return self._usual.reply(body)
        facts = self.shape.facts(batch)
        if facts is None:
            return ReplyFacts(error_kind=error_kind_of(batch))
        return ReplyFacts(reply_id=facts.batch_id, pending=True, complete=True)

    def row_reply(self, reply: bytes) -> ReplyFacts:
        """The facts of one reply in the results."""
        return self._usual.reply(reply)

    def tail(self, usage_asked: bool) -> SilentTail:  # noqa: ARG002 - there are no streams
        return SilentTail()

    def error(self, status: int, message: str, kind: str) -> bytes:
        return self._usual.error(status, message, kind)
