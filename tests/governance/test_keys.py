from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Owner, UserError
from modicum.governance.keys import Keys, audit, issue, revoke

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DIGEST_KEY = b"d" * 32


@pytest.fixture
def issued():
    return issue(Owner(key="ci", team="platform"), ("gpt-*",), NOW, "ann", DIGEST_KEY)


def test_a_key_opens_as_its_owner(issued):
    key, event = issued

    found = Keys([event]).check(key, DIGEST_KEY)

    assert (found.owner.team, found.models) == ("platform", ("gpt-*",))


def test_what_is_kept_does_not_hold_the_key(issued):
    key, event = issued

    assert key.rpartition("_")[2].encode() not in msgspec.json.encode(event)


def test_a_copy_of_the_events_opens_nothing_elsewhere(issued):
    key, event = issued

    assert Keys([event]).check(key, b"another digest key") is None


def test_a_key_that_is_called_by_the_id_of_another_does_not_keep_that_one_in_force(issued):
    key, event = issued
    _, shield = issue(Owner(key=event.key_id, team="thief"), (), NOW, "eve", DIGEST_KEY)
    ended = revoke(Keys([event, shield]), event.key_id, NOW, "bob")

    assert Keys([event, shield, ended]).check(key, DIGEST_KEY) is None


def test_a_revoked_key_opens_nothing_and_says_since_when(issued):
    key, event = issued
    ended = revoke(Keys([event]), "ci", NOW, "bob")

    keys = Keys([event, ended])

    assert keys.check(key, DIGEST_KEY) is None
    assert keys.all()[0].revoked_at == NOW
    assert keys.in_force() == []


def test_revoking_what_is_not_there_or_not_clear_says_what_to_type(issued):
    _, event = issued
    _, other = issue(Owner(key="ci"), (), NOW, "ann", DIGEST_KEY)

    with pytest.raises(UserError, match="modicum key list"):
        revoke(Keys([event]), "cd", NOW, "ann")
    with pytest.raises(UserError, match=event.key_id):
        revoke(Keys([event, other]), "ci", NOW, "ann")


@given(st.text())
def test_no_other_text_opens(text):
    key, event = issue(Owner(key="ci"), (), NOW, "ann", DIGEST_KEY)
    keys = Keys([event])

    assert keys.check(text, DIGEST_KEY) is None
    assert keys.check(key + text, DIGEST_KEY) is None or not text
    assert keys.check(f"mk_{event.key_id}_{text}", DIGEST_KEY) is None


def test_the_audit_log_says_who_when_and_whose_but_never_the_key(issued):
    key, event = issued
    ended = revoke(Keys([event]), "ci", NOW, "bob")

    made, gone = audit([event, ended])

    assert (made.what, made.by, made.owner.team, made.details) == ("issued", "ann", "platform", {"models": "gpt-*"})
    assert (gone.what, gone.by, gone.owner.key, gone.subject) == ("revoked", "bob", "ci", event.key_id)
    assert made.event_id != gone.event_id
    told = msgspec.json.encode([made, gone]).decode()
    assert key.rpartition("_")[2] not in told
    assert event.digest.hex() not in told


@given(st.permutations([0, 1, 2, 3]), st.lists(st.integers(0, 3), max_size=3))
def test_events_may_come_in_any_order_and_again_as_hosts_hand_them_on(order, again):
    key, event = issue(Owner(key="ci"), (), NOW, "ann", DIGEST_KEY)
    other_key, other = issue(Owner(key="web"), (), NOW, "ann", DIGEST_KEY)
    first = revoke(Keys([event]), "ci", NOW + timedelta(hours=1), "bob")
    later = revoke(Keys([event]), "ci", NOW + timedelta(hours=2), "eve")
    events = [event, other, later, first]

    keys = Keys([events[at] for at in (*order, *again)])

    assert keys.check(key, DIGEST_KEY) is None
    assert keys.check(other_key, DIGEST_KEY) is not None
    assert {one.owner.key: one.revoked_at for one in keys.all()} == {"ci": NOW + timedelta(hours=1), "web": None}
