from datetime import UTC, datetime

import pytest

from console.rig import add_users
from modicum.calls import UserError
from modicum.console.access.access_file import AccessFile
from modicum.governance.access.users import parse_roles, remove_user, set_user

NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture
def access(tmp_path):
    file = AccessFile(tmp_path)
    yield file
    file.close()


def test_without_a_file_there_are_no_users_and_none_is_made(access, tmp_path):
    assert access.current().users.is_open()
    assert list(tmp_path.glob("*.*")) == []


def test_what_another_process_changes_is_seen_at_once(access, tmp_path):
    add_users(tmp_path, ann="owner")
    assert [user.name for user in access.current().users.all()] == ["ann"]
    add_users(tmp_path, bob="viewer:search")

    assert [user.name for user in access.current().users.all()] == ["ann", "bob"]


def test_a_change_is_decided_by_what_is_true_then(access, tmp_path):
    add_users(tmp_path, ann="owner", bob="owner")
    access.change(lambda now: remove_user(now.users, "bob", NOW, "ann"))

    with pytest.raises(UserError, match="there is no user"):
        access.change(lambda now: remove_user(now.users, "bob", NOW, "ann"))
    assert [user.name for user in access.current().users.all()] == ["ann"]


def test_a_file_that_had_users_and_has_gone_opens_nothing(access, tmp_path):
    access.change(lambda now: set_user(now.users, "ann", parse_roles(["owner"]), NOW, "root"))
    assert not access.current().users.is_open()
    for path in tmp_path.glob("events.sqlite*"):
        path.unlink()

    with pytest.raises(UserError, match="has gone"):
        access.current()
