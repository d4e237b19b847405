import pytest

from modicum.console.access.viewer import ForbiddenError, Viewer, local_viewer
from modicum.governance.access.tokens import TokenScope
from modicum.governance.access.users import parse_roles

READ, KEYS = TokenScope.READ, TokenScope.KEYS


def viewer(words, **fields):
    return Viewer(name="bob", roles=parse_roles(words.split()), **fields)


def test_who_is_on_this_machine_may_everything_where_there_are_no_users():
    local = local_viewer()

    assert local.is_local
    assert local.sees_everything
    assert all(local.may("owner", scope, "*") for scope in TokenScope)


@pytest.mark.parametrize(
    ("words", "least", "team", "may"),
    [
        ("viewer:search", "viewer", "search", True),
        ("viewer:search", "viewer", None, True),
        ("viewer:search", "viewer", "web", False),
        ("viewer:search", "viewer", "*", False),
        ("viewer:search", "viewer", "", False),
        ("viewer:search", "editor", "search", False),
        ("editor:search viewer:web", "editor", "web", False),
        ("editor:search viewer:web", "editor", None, True),
        ("editor", "editor", "web", True),
        ("editor", "owner", "*", False),
        ("viewer editor:web", "editor", "web", True),
        ("viewer editor:web", "editor", "search", False),
        ("owner", "editor", "", True),
    ],
)
def test_a_role_holds_for_its_team(words, least, team, may):
    assert viewer(words).may(least, READ, team) is may


def test_a_token_is_for_its_scopes_only():
    one = viewer("owner", scopes=(READ,))

    assert one.may("viewer", READ, "web")
    with pytest.raises(ForbiddenError, match="the team 'web'"):
        one.insist("editor", KEYS, "web")
    with pytest.raises(ForbiddenError, match="all teams"):
        one.insist("editor", KEYS, "*")
