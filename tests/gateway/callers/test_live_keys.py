from datetime import UTC, datetime

import pytest

from modicum.calls import Owner
from modicum.gateway.callers.live_keys import LiveKeys
from modicum.governance.keys import issue, revoke
from modicum.ledger.events import EventFile

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DIGEST_KEY = b"d" * 32


@pytest.fixture
def events(tmp_path):
    """As the gateway has them, and as a command in another process has them."""
    both = EventFile(tmp_path / "events.sqlite"), EventFile(tmp_path / "events.sqlite")
    yield both
    for one in both:
        one.close()


def test_what_was_issued_or_revoked_counts_at_the_next_look(events):
    here, there = events
    keys = LiveKeys(here)
    token, event = issue(Owner(key="ci"), (), NOW, "ann", DIGEST_KEY)

    assert keys().check(token, DIGEST_KEY) is None
    there.append("key", event)
    assert keys().check(token, DIGEST_KEY) is not None
    there.append("key", revoke(keys(), "ci", NOW, "ann"))
    assert keys().check(token, DIGEST_KEY) is None


def test_an_event_whose_writer_died_before_it_said_so_is_found_when_somebody_looks(events):
    here, there = events
    keys = LiveKeys(here)
    token, event = issue(Owner(key="ci"), (), NOW, "ann", DIGEST_KEY)
    stamp = there.stamp
    there.append("key", event)
    there._stamp[:] = stamp

    assert keys().check(token, DIGEST_KEY) is None
    keys.check_file()
    assert keys().check(token, DIGEST_KEY) is not None


def test_an_event_that_cannot_be_read_is_told_and_the_keys_stay(events, capfd):
    here, there = events
    token, event = issue(Owner(key="ci"), (), NOW, "ann", DIGEST_KEY)
    there.append("key", event)
    keys = LiveKeys(here)

    there.append("key", {"what": "of a newer version"})

    assert keys().check(token, DIGEST_KEY) is not None
    assert "keys_kept" in capfd.readouterr().err
