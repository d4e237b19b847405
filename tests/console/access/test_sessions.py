import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from modicum.calls import UserError
from modicum.console.access.sessions import FILE, Sessions

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = b"k" * 32


@pytest.fixture
def sessions(tmp_path):
    opened = Sessions(tmp_path, KEY)
    yield opened
    opened.close()


def test_a_session_lasts_until_its_time_and_over_a_restart(sessions, tmp_path):
    text = sessions.begin("ann", NOW, NOW + HOUR)
    after = Sessions(tmp_path, KEY)

    assert after.find(text, NOW).name == "ann"
    assert after.find(text, NOW + HOUR) is None
    assert after.find(text[:-1], NOW) is None
    assert after.find("", NOW) is None
    after.close()


def test_an_ended_session_is_none_and_old_ones_are_swept(sessions, tmp_path):
    text = sessions.begin("ann", NOW, NOW + HOUR)
    sessions.end(sessions.find(text, NOW).session_id)
    sessions.begin("bob", NOW, NOW + HOUR)
    sessions.begin("cem", NOW + 2 * HOUR, NOW + 3 * HOUR)

    assert sessions.find(text, NOW) is None
    with sqlite3.connect(tmp_path / FILE) as base:
        assert base.execute("SELECT name FROM sessions").fetchall() == [("cem",)]
    base.close()


def test_the_file_is_private_and_holds_no_secret(sessions, tmp_path):
    text = sessions.begin("ann", NOW, NOW + HOUR)

    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert text.rpartition("_")[2].encode() not in (tmp_path / FILE).read_bytes()


def test_no_file_is_made_for_who_never_logged_in_and_a_broken_one_is_said(sessions, tmp_path):
    assert sessions.find("ms_abc_def", NOW) is None
    assert not (tmp_path / FILE).exists()
    (tmp_path / FILE).write_text("no database, but long enough to be taken for one " * 40)
    with pytest.raises(UserError, match="nobody can be logged in"):
        sessions.begin("ann", NOW, NOW + HOUR)
