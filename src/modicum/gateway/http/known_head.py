"""What came of the head of a connection's last request: clients send the same headers again with every call.

What is the same to the byte (`repeated_head.py`), but for the length of the body, is not checked a second time. It is
forgotten with the connection, and counts only while keys, owners and names of this gateway are the very same.
"""

from collections.abc import Mapping
from typing import Any

from modicum.calls import Owner
from modicum.gateway.callers.attribution import Attribution, attribution
from modicum.gateway.callers.owners import Caller
from modicum.gateway.http.paths import Served
from modicum.gateway.http.repeated_head import LENGTH
from modicum.outbound.keepalive import Header
from modicum.providers.facts import RequestFacts


class KnownHead:
    """A head that was let in, and what it says.

    Args:
        in_force: what decides on it beside its bytes: objects that are replaced when they change.
        served: what it asks for.
        caller: who asks.
        headers: by name.
        passing: headers that may go upstream.
        holds_body: whether its body, once it has come, is what is asked: not compressed, and not passed on as it comes.
    """

    __slots__ = ("_about", "_in_force", "caller", "headers", "holds_body", "passing", "sent", "served")

    def __init__(
        self,
        in_force: tuple[Any, ...],
        served: Served,
        caller: Caller,
        headers: Mapping[bytes, bytes],
        passing: list[Header],
        *,
        holds_body: bool = False,
    ) -> None:
        self._in_force, self.served, self.caller, self.passing = in_force, served, caller, passing
        self.headers = {name: value for name, value in headers.items() if name != LENGTH}
        self.holds_body = holds_body
        self._about: Attribution | None = None
        self.sent: Any = None
        """What goes upstream in its place (`sending.SentHead`), once a call was sent."""

    def holds(self, in_force: tuple[Any, ...]) -> bool:
        """Whether all that decided on it is as it was."""
        mine = self._in_force
        return mine[0] is in_force[0] and mine[1] is in_force[1] and mine[2] is in_force[2]

    def attribution(self, headers: Mapping[bytes, bytes], facts: RequestFacts, owner: Owner) -> Attribution:
        """What a call is for: by the headers alone, where its body says nothing of it."""
        if facts.metadata or facts.user or facts.session:
            return attribution(headers, facts, owner)
        about = self._about
        if about is None:
            about = self._about = attribution(headers, facts, owner)
        tags = about.tags.copy()  # a call adds tags of its own
        owner, task, conversation, agent, project, _, lineage = about
        return Attribution(owner, task, conversation, agent, project, tags, lineage)
