from datetime import UTC, datetime, timedelta

import pytest

from modicum.calls import UserError
from modicum.governance.access.tokens import AccessTokens, TokenScope, audit_tokens, issue_token, revoke_token

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEY = b"k" * 32


def issued(name="ci", *scopes, until=None):
    return issue_token("ann", name, scopes or ("read",), NOW, "root", until, KEY)


def test_a_token_opens_until_its_time_or_until_it_is_revoked():
    token, event = issued("ci", "read", "keys", "read", until=NOW + timedelta(days=1))
    tokens = AccessTokens([event])

    assert tokens.check(token, NOW, KEY).scopes == (TokenScope.READ, TokenScope.KEYS)
    assert tokens.check(token, NOW + timedelta(days=1), KEY) is None
    assert tokens.check(token[:-1], NOW, KEY) is None
    assert tokens.check("mt_", NOW, KEY) is None
    revoked = revoke_token(tokens, "ci", NOW, "root")
    assert AccessTokens([revoked, event]).check(token, NOW, KEY) is None
    assert AccessTokens([event, revoked]).in_force(NOW) == []


def test_a_token_that_is_called_by_the_id_of_another_does_not_keep_that_one_in_force():
    _, event = issued()
    _, shield = issued(event.token_id)

    assert revoke_token(AccessTokens([event, shield]), event.token_id, NOW, "root").token_id == event.token_id


def test_scopes_and_names_that_are_none_are_said():
    with pytest.raises(UserError, match="accepted are read"):
        issued("ci", "everything")
    with pytest.raises(UserError, match="one scope"):
        issue_token("ann", "ci", (), NOW, "root", None, KEY)
    with pytest.raises(UserError, match="no token 'ic'"):
        revoke_token(AccessTokens([issued()[1]]), "ic", NOW, "root")
    with pytest.raises(UserError, match="several"):
        revoke_token(AccessTokens([issued()[1], issued()[1]]), "ci", NOW, "root")


def test_the_audit_log_says_whose_it_was_and_holds_no_secret():
    token, event = issued()
    revoked = revoke_token(AccessTokens([event]), event.token_id, NOW, "bob")
    lines = audit_tokens([event, revoked])

    assert [(line.what, line.by, line.details["user"]) for line in lines] == [
        ("issued", "root", "ann"),
        ("revoked", "bob", "ann"),
    ]
    assert token.rpartition("_")[2] not in repr(lines)
