from datetime import UTC, datetime

import msgspec
import pytest

from modicum.calls import Call, CallStatus, Owner
from modicum.gateway import meter
from modicum.gateway.callers.attribution import Attribution
from modicum.gateway.meter import MOST_BEGUN_BYTES, begun_call, begun_record, call_id, numbers
from modicum.providers.facts import ReplyFacts

LONG = "m" * 200


def about(**more):
    told = {"owner": Owner(), "task": "", "conversation": "", "agent": "", "project": "", "tags": {}}
    return Attribution(**told | more)


@pytest.mark.parametrize(
    ("reply_id", "used"),
    [
        ("chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx", True),
        ("msg_01AbCdEfGhIjKlMnOpQrStUv", True),
        ("chatcmpl-123", False),  # Ollama gives one of a thousand
        ("", False),
        ("whatever-is-long-but-not-known-to-be-unique", False),
    ],
)
def test_only_an_id_that_is_surely_unique_names_a_call(reply_id, used):
    assert (call_id("n", reply_id) == reply_id) is used


@pytest.mark.parametrize(
    ("reply_id", "identity", "tags"),
    [
        ("mAitaLmkHPPlz7IPvtfUqQ4", "gateway:1", {"a": "b", "response_id": "mAitaLmkHPPlz7IPvtfUqQ4"}),
        ("resp-g1", "gateway:1", {"a": "b"}),
        ("msg_0123456789abcdefghij", "msg_0123456789abcdefghij", {"a": "b"}),
    ],
)
def test_a_providers_id_that_is_no_identity_is_kept_beside_it(reply_id, identity, tags):
    assert meter._with_response_id({"a": "b"}, identity, ReplyFacts(reply_id=reply_id)) == tags


def test_numbers_are_never_the_same():
    one, other = numbers(), numbers()

    assert len({next(one), next(one), next(other), next(other)}) == 4


@pytest.mark.parametrize(
    "told",
    [
        {"tags": {LONG + str(number): LONG for number in range(16)}},
        {"owner": Owner(LONG, LONG, LONG, LONG), "task": LONG, "project": LONG, "agent": LONG},
        {"owner": Owner("ü" * 200, "ü" * 200, "ü" * 200, "ü" * 200), "task": "ü" * 200, "conversation": "ü" * 200},
    ],
)
def test_the_record_of_a_begun_call_always_fits_its_slot(told):
    begun = begun_call("n", "openai", LONG, about(**told), 1.0)

    record = begun_record(begun)

    assert len(record) <= MOST_BEGUN_BYTES
    found = msgspec.msgpack.decode(record, type=Call)
    assert (found.status, found.started) == (CallStatus.UNKNOWN, datetime.fromtimestamp(1.0, UTC))
