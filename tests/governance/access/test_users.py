from datetime import UTC, datetime, timedelta

import pytest

from modicum.calls import UserError
from modicum.governance.access.users import (
    Role,
    UserEvent,
    Users,
    audit_users,
    make_link,
    parse_roles,
    remove_user,
    set_user,
    show_roles,
)

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEY = b"k" * 32


def added(name, *roles, users=None, at=NOW):
    return set_user(users or Users(), name, parse_roles(roles), at, "root")


def test_roles_are_read_as_people_type_them_and_written_so():
    roles = parse_roles(["editor:search", "viewer:web", "viewer:web"])

    assert roles == {"search": Role.EDITOR, "web": Role.VIEWER}
    assert show_roles(roles) == "editor:search viewer:web"
    assert show_roles(parse_roles(["owner"])) == "owner"


@pytest.mark.parametrize(
    ("words", "part"),
    [(["boss"], "accepted are viewer"), (["owner:search"], "all teams"), (["viewer:a", "editor:a"], "two roles")],
)
def test_what_is_no_role_is_said(words, part):
    with pytest.raises(UserError, match=part):
        parse_roles(words)


def test_roles_cover_those_below():
    assert Role.OWNER.covers(Role.EDITOR)
    assert Role.EDITOR.covers(Role.EDITOR)
    assert not Role.VIEWER.covers(Role.EDITOR)


@pytest.mark.parametrize("word", ["viewer:", "editor: ", "owner:"])
def test_a_team_that_was_left_empty_is_not_all_teams(word):
    with pytest.raises(UserError, match="names no team"):
        parse_roles([word])


def test_the_first_user_is_an_owner_and_the_last_owner_stays():
    with pytest.raises(UserError, match="role owner"):
        added("bob", "viewer:search")
    users = Users([ann := added("ann", "owner"), added("bob", "viewer:search", users=Users([added("ann", "owner")]))])

    assert not users.is_open()
    with pytest.raises(UserError, match="role owner"):
        remove_user(users, "ann", NOW, "root")
    with pytest.raises(UserError, match="role owner"):
        added("ann", "editor", users=users)
    with pytest.raises(UserError, match="there is no user"):
        remove_user(users, "bbo", NOW, "root")
    alone = remove_user(Users([ann]), "ann", NOW, "root")
    assert Users([ann, alone]).is_open()


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 201, "\u202eb"])
def test_a_name_that_cannot_be_printed_is_none(name):
    with pytest.raises(UserError, match="no name of a user"):
        added(name, "owner")


def test_a_link_opens_once_and_until_its_time():
    text, linked = make_link("ann", NOW, timedelta(hours=1), "root", KEY)
    users = Users([added("ann", "owner"), linked])
    user, link_id = users.find_link(text, NOW, KEY)

    assert user.name == "ann"
    assert users.find_link(text, NOW + timedelta(hours=1), KEY) is None
    assert users.find_link(text + "x", NOW, KEY) is None
    assert users.find_link("", NOW, KEY) is None
    used = UserEvent(what="link_used", name="ann", at=NOW, by="ann", link_id=link_id)
    assert Users([added("ann", "owner"), linked, used]).find_link(text, NOW, KEY) is None


def test_a_removed_user_who_comes_back_has_no_old_sessions_links_or_passwords():
    later = NOW + timedelta(days=1)
    first = added("ann", "owner")
    text, linked = make_link("ann", NOW, timedelta(days=9), "root", KEY)
    hashed = UserEvent(what="password", name="ann", at=NOW, by="ann", password="scrypt$...")
    gone = UserEvent(what="removed", name="ann", at=later, by="root")
    users = Users([first, linked, hashed, gone, added("ann", "owner", at=later)])
    user = users.find("ann")

    assert (user.valid_from, user.tokens_from, user.password) == (later, later, "")
    assert users.find_link(text, later, KEY) is None


def test_a_new_password_ends_sessions_and_no_tokens():
    later = NOW + timedelta(days=1)
    event = UserEvent(what="password", name="ann", at=later, by="ann", password="scrypt$...")
    user = Users([added("ann", "owner"), event]).find("ann")

    assert (user.valid_from, user.tokens_from) == (later, NOW)
    signed_out = UserEvent(what="signed_out", name="ann", at=later, by="ann")
    assert Users([added("ann", "owner"), signed_out]).find("ann").valid_from == later


def test_the_name_at_an_identity_provider_finds_a_user():
    event = set_user(Users(), "ann", parse_roles(["owner"]), NOW, "root", "ann@example.com")

    assert Users([event]).find_subject("ann@example.com").name == "ann"
    assert Users([event]).find_subject("ann") is None
    assert Users([added("ann", "owner")]).find_subject("ann").name == "ann"


def test_the_audit_log_holds_no_secret():
    text, linked = make_link("ann", NOW, timedelta(hours=1), "root", KEY)
    hashed = UserEvent(what="password", name="ann", at=NOW, by="ann", password="scrypt$secret")
    lines = audit_users([added("ann", "owner"), linked, hashed])

    assert [(line.what, line.subject) for line in lines] == [("set", "ann"), ("linked", "ann"), ("password", "ann")]
    assert lines[0].details == {"roles": "owner"}
    assert "secret" not in repr(lines)
    assert text.rpartition("_")[2] not in repr(lines)
