import pytest

from modicum.calls import Owner, UserError
from modicum.console.access.viewer import ForbiddenError
from modicum.console.acting.keys import issue_key, revoke_key
from modicum.ledger.records import AUDIT_EVENTS


def test_editors_issue_and_revoke_keys_of_their_team(asking_as, store):
    ted = asking_as("ted")
    key, event = issue_key(ted, Owner(team="search", key="ci"), ("gpt-*",))
    revoke_key(ted, event.key_id)

    assert key.startswith(f"mk_{event.key_id}_")
    assert [(line.what, line.by, line.owner.key) for line in store.records(AUDIT_EVENTS)] == [
        ("issued", "ted", "ci"),
        ("revoked", "ted", "ci"),
    ]
    with pytest.raises(UserError, match="revoked already"):
        revoke_key(asking_as("eve"), event.key_id)


def test_others_do_not(asking_as):
    _, event = issue_key(asking_as("ann"), Owner(team="web", key="ci"))
    _, nobodys = issue_key(asking_as("eve"), Owner(key="ci"))
    for who, act in (
        ("ted", lambda one: revoke_key(one, event.key_id)),
        ("ted", lambda one: revoke_key(one, nobodys.key_id)),
        ("ted", lambda one: issue_key(one, Owner(key="x"))),
        ("vic", lambda one: issue_key(one, Owner(team="search", key="x"))),
    ):
        with pytest.raises(ForbiddenError):
            act(asking_as(who))


@pytest.mark.parametrize("owner", [Owner(), Owner(key=" "), Owner(key="a\x1b[31m"), Owner(key="x" * 201)])
def test_a_key_needs_a_name_that_can_be_printed(asking_as, owner):
    with pytest.raises(UserError):
        issue_key(asking_as("eve"), owner)
    with pytest.raises(UserError, match="no key"):
        revoke_key(asking_as("eve"), "'; DROP TABLE events; --")
