from datetime import UTC, datetime

import pytest

from modicum.calls import Owner
from modicum.gateway.callers.owners import Owners
from modicum.gateway.http.refusal import Refused
from modicum.governance.keys import Keys, issue

DIGEST_KEY = b"d" * 32
KEY, EVENT = issue(Owner(key="ci", team="platform"), ("gpt-*",), datetime(2026, 1, 1, tzinfo=UTC), "t", DIGEST_KEY)
OWNERS = Owners(lambda: Keys([EVENT]), DIGEST_KEY, own_keys=True)


@pytest.mark.parametrize(
    "headers",
    [
        {b"authorization": b"Bearer " + KEY.encode()},
        {b"authorization": b"bearer " + KEY.encode()},
        {b"x-api-key": KEY.encode()},
        {b"x-goog-api-key": KEY.encode()},
        {b"authorization": b"Bearer sk-something-else", b"x-api-key": KEY.encode()},
    ],
)
def test_a_key_is_found_wherever_clients_put_it(headers):
    assert OWNERS.identify(headers, b"").owner.team == "platform"


def test_geminis_query_holds_a_key_too():
    assert OWNERS.identify({}, KEY.encode()).owner.key == "ci"


def test_a_callers_own_key_is_known_by_its_digest_alone():
    caller = OWNERS.identify({b"authorization": b"Bearer sk-own-key"}, b"")

    assert caller.own_key == (b"authorization", b"Bearer sk-own-key")
    assert caller.owner.key.startswith("own-")
    assert "sk-own-key" not in caller.owner.key.removeprefix("own-")


@pytest.mark.parametrize(
    "headers", [{}, {b"authorization": b""}, {b"authorization": b"Bearer "}, {b"authorization": b"Bearer mk_abc_def"}]
)
def test_no_key_or_a_wrong_one_is_a_401(headers):
    with pytest.raises(Refused) as refusal:
        OWNERS.identify(headers, b"")

    assert refusal.value.status == 401


def test_own_keys_can_be_switched_off():
    with pytest.raises(Refused, match="unknown or revoked"):
        Owners(lambda: Keys([EVENT]), DIGEST_KEY, own_keys=False).identify({b"x-api-key": b"sk-own-key"}, b"")


def test_a_key_opens_the_models_that_it_names():
    caller = OWNERS.identify({b"x-api-key": KEY.encode()}, b"")
    caller.check_model("gpt-5")

    with pytest.raises(Refused):
        caller.check_model("claude-x")
