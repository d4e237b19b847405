"""What came of the head of a connection's last request: clients send the same headers again with every call.

What is the same to the byte, but for the length of the body, is not checked a second time. It is forgotten with the
connection, and counts only while keys, owners and names of this gateway are the very same.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from modicum.calls import Owner
from modicum.gateway.callers.attribution import Attribution, attribution
from modicum.gateway.callers.owners import Caller
from modicum.gateway.http.paths import Served
from modicum.outbound.keepalive import Header
from modicum.providers.facts import RequestFacts

_LENGTH = b"content-length"


class HeadPlace(NamedTuple):
    """A request's head, and all that decides on what comes of it."""

    method: str
    path: str
    query: bytes
    headers: list[Header]
    """But for the length of the body."""
    length: bytes | None
    in_force: tuple[Any, ...]
    """What decides on it beside its bytes; objects that are replaced when they change."""

    @classmethod
    def of(cls, scope: dict[str, Any], in_force: tuple[Any, ...]) -> "HeadPlace":
        headers, length = [], None
        for header in scope["headers"]:
            if header[0] == _LENGTH:
                length = header[1]
            else:
                headers.append(header)
        return cls(scope["method"], scope["path"], scope["query_string"], headers, length, in_force)


class KnownHead:
    """A head that was let in, and what it says."""

    __slots__ = ("_about", "_headers", "_place", "caller", "passing", "served")

    def __init__(
        self,
        place: HeadPlace,
        served: Served,
        caller: Caller,
        headers: dict[bytes, bytes],
        passing: list[Header],
    ) -> None:
        self._place, self.served, self.caller, self.passing = place, served, caller, passing
        self._headers = headers
        self._about: Attribution | None = None

    def is_repeated(self, place: HeadPlace) -> bool:
        """Whether another head is the same but for the length."""
        mine = self._place
        return (
            mine.headers == place.headers
            and mine.path == place.path
            and mine.query == place.query
            and mine.method == place.method
            and _are_same(mine.in_force, place.in_force)
        )

    def headers(self, place: HeadPlace) -> dict[bytes, bytes]:
        """The headers of a head that repeats this one, by name."""
        headers = dict(self._headers)
        headers.pop(_LENGTH, None)
        if place.length is not None:
            headers[_LENGTH] = place.length
        return headers

    def attribution(self, headers: Mapping[bytes, bytes], facts: RequestFacts, owner: Owner) -> Attribution:
        """What a call is for: by the headers alone, where its body says nothing of it."""
        if facts.metadata or facts.user or facts.session:
            return attribution(headers, facts, owner)
        if self._about is None:
            self._about = attribution(headers, facts, owner)
        return self._about._replace(tags=dict(self._about.tags))  # a call adds tags of its own


def _are_same(mine: Sequence[Any], others: Sequence[Any]) -> bool:
    return all(one is other for one, other in zip(mine, others, strict=True))
