"""An owner's calls and keys erased from a page."""

from datetime import UTC, datetime

from modicum.calls import UserError
from modicum.console.acting.decisions import EVENTS
from modicum.console.asking import Asking
from modicum.governance.access.tokens import TokenScope
from modicum.governance.access.users import EVERY_TEAM, Role
from modicum.insights.retention.erasure import Erasure, erase_owner
from modicum.ledger.events import EventFile


def erase(asking: Asking, part: str, name: str, again: str) -> Erasure:
    """Erases all calls of an owner, and revokes its keys; it cannot be taken back.

    Args:
        asking: of who has it erased.
        part: user, team, app or key.
        name: whose.
        again: the name typed once more.

    Raises:
        ForbiddenError: the viewer is no owner of the console.
        UserError: the names differ, or the ledger is away.
    """
    asking.viewer.insist(Role.OWNER, TokenScope.USERS, EVERY_TEAM)
    if name != again:
        raise UserError("the two names differ: nothing was erased")
    events = EventFile(asking.sources.state / EVENTS)
    try:
        now, key = datetime.now(UTC), asking.sources.digest_key
        return asking.unchecked(
            lambda store: erase_owner(store, events, part, name, at=now, by=asking.viewer.name, digest_key=key)
        )
    finally:
        events.close()
        asking.forget()
