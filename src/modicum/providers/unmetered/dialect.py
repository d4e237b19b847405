"""Paths of an API that nobody here meters: they pass as they come, and what they cost is unknown.

So a new path of a provider works on the day on which it is there, and stands in the books as what it is: a call whose
cost nobody knows. What a shared key must not be used for does not pass: the administration of an account, and paths
that hand out keys with which calls would go past us.
"""

import re
from collections.abc import Mapping
from typing import Any

from modicum.providers.blocks import Block
from modicum.providers.dialect import Dialect, Target, quoted
from modicum.providers.facts import ReplyFacts, RequestFacts
from modicum.providers.stream import SilentTail

NAME_BEGINS = "path:"
"""How the name of such a path begins, where other calls have their model's."""
MOST_NAME = 96
_CLOSED = re.compile(
    r"/v\d(?:alpha|beta)?/(?:organizations?|projects|dashboard|admin|api_keys|auth_tokens|"
    r"realtime/(?:client_secrets|sessions|transcription_sessions|translations))(?:[/:?]|$)"
)
"""Administration of an account, and what hands out keys."""
_WORD = re.compile(r"[A-Za-z_-]{1,32}")
_READS = frozenset({"GET", "DELETE"})
_MAKES = frozenset({"POST", "PUT", "PATCH"})


class UnmeteredPaths(Dialect):
    """All paths of an API that no other dialect of it has.

    Args:
        usual: the API's first dialect, in whose words errors are.
    """

    is_metered = has_model = bills_text = generates = False
    unbounded = "it is not metered"

    def __init__(self, usual: Dialect) -> None:
        self._usual = usual
        self.name = f"{usual.api.name}-other"  # type: ignore[misc]  # one object for each API
        self.api = usual.api  # type: ignore[misc]  # as above

    def find(self, method: str, path: str) -> Target | None:
        """What asks for something or takes it away is no call; what makes something is one."""
        version = self._usual.other_paths.match(path)
        if version is None or is_closed(path) or method not in _READS | _MAKES:
            return None
        return Target(quoted(path[version.end() :]), is_call=method in _MAKES, is_streamed=True)

    def request(self, body: bytes, path: str) -> RequestFacts:  # noqa: ARG002 - nobody knows what is in it
        return RequestFacts(model=path_name(path))

    @staticmethod
    def blocks_of(request: Mapping[str, Any]) -> list[Block]:  # noqa: ARG004 - nobody knows what of it a model sees
        return []

    def segments(self, body: bytes) -> list[Block]:  # noqa: ARG002 - as above
        return []

    def reply(self, body: bytes) -> ReplyFacts:  # noqa: ARG002 - nobody knows what stands in it
        return ReplyFacts(complete=True)

    def tail(self, usage_asked: bool) -> SilentTail:  # noqa: ARG002 - nothing is read
        return SilentTail()

    def error(self, status: int, message: str, kind: str) -> bytes:
        return self._usual.error(status, message, kind)

    def error_event(self, status: int, message: str, kind: str) -> bytes:
        return self._usual.error_event(status, message, kind)


def is_closed(path: str) -> bool:
    """Whether a path is not passed on whoever asks."""
    return _CLOSED.match(path) is not None


def path_name(path: str) -> str:
    """A path's name in the books: without its query, and a star for each id in it."""
    first, *rest = path.partition("?")[0].strip("/").split("/")
    parts = [part if _WORD.fullmatch(part) else _without_id(part) for part in rest]
    return (NAME_BEGINS + "/" + "/".join([first, *parts]))[:MOST_NAME]


def _without_id(part: str) -> str:
    """The verb behind an id, as Google writes it (`files/abc123:download`), stays."""
    _, colon, verb = part.partition(":")
    return f"*:{verb}" if colon and verb.isalpha() else "*"
