"""Keys of the gateway, issued and revoked by editors of the team that pays."""

from datetime import UTC, datetime

from modicum.calls import Owner, UserError
from modicum.calls.outside.storable import storable
from modicum.console.acting.decisions import decide
from modicum.console.asking import Asking
from modicum.governance.access.tokens import TokenScope
from modicum.governance.access.users import EVERY_TEAM, Role
from modicum.governance.keys import KeyEvent, Keys, audit, issue, revoke

EVENT_KIND = "key"
LONGEST_NAME = 200


def issue_key(asking: Asking, owner: Owner, models: tuple[str, ...] = ()) -> tuple[str, KeyEvent]:
    """A fresh key, which can be shown this once, and what is on record of it.

    Raises:
        ForbiddenError: the viewer is no editor of the team that pays.
        UserError: it has no name, or a name cannot be one.
    """
    asking.viewer.insist(Role.EDITOR, TokenScope.KEYS, owner.team or EVERY_TEAM)
    if not owner.key.strip():
        raise UserError("the key has no name: give it one, by which it is found and revoked")
    for name in (owner.key, owner.team, owner.app, owner.user, *models):
        if name != storable(name) or not name.isprintable() or len(name) > LONGEST_NAME:
            raise UserError(f"'{name:.80}' is no name: up to {LONGEST_NAME} characters that can be printed")
    key, event = issue(owner, models, datetime.now(UTC), asking.viewer.name, asking.sources.digest_key)
    decide(asking, EVENT_KIND, KeyEvent, lambda _former: event, audit)
    return key, event


def revoke_key(asking: Asking, key_id: str) -> KeyEvent:
    """Revokes a key, which running gateways refuse from their next call on.

    Raises:
        ForbiddenError: the viewer is no editor of the team that pays.
        UserError: there is no such key in force.
    """

    def decision(former: list[KeyEvent]) -> KeyEvent:
        keys = Keys(former)
        key = next((one for one in keys.all() if one.key_id == key_id), None)
        if key is None:
            raise UserError(f"there is no key '{key_id:.80}'")
        asking.viewer.insist(Role.EDITOR, TokenScope.KEYS, key.owner.team or EVERY_TEAM)
        if key.revoked_at is not None:
            raise UserError(f"the key '{key.owner.key}' is revoked already, since {key.revoked_at:%Y-%m-%d %H:%M} UTC")
        return revoke(keys, key_id, datetime.now(UTC), asking.viewer.name)

    return decide(asking, EVENT_KIND, KeyEvent, decision, audit)
