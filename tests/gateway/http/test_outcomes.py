import httpx2 as httpx
import pytest

from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES


@pytest.fixture
def post(rig):
    return lambda told, **headers: httpx.post(f"{rig.url}/outcomes", json=told, headers=rig.headers(**headers))


def test_an_outcome_is_durable_when_the_answer_comes(rig, post):
    before = len(rig.records("outcome"))

    reply = post([{"task": "PR-1", "name": "merged", "value": 1}, {"task": "PR-2", "name": "merged", "value": 0}])

    assert reply.json() == {"outcomes": 2}
    assert [(one.task, one.value) for one in rig.records("outcome")[before:]] == [("PR-1", 1.0), ("PR-2", 0.0)]


@pytest.mark.parametrize(
    "told",
    [
        {"task": "PR-1", "name": "merged"},
        {"task": "", "name": "merged", "value": 1},
        {"task": "PR-1", "name": "merged", "value": "yes"},
        {"task": "PR-1", "name": "merged", "value": 1, "color": "red"},
        5,
    ],
)
def test_what_is_no_outcome_is_a_400_that_says_why(post, told):
    reply = post(told)

    assert reply.status_code == 400
    assert reply.json()["error"]["message"].startswith("no outcome: ")


@pytest.mark.parametrize(
    "time",
    [
        *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00"),
        *("1969-12-31T23:59:59Z", "2201-01-01T00:00:00Z", "infinity", "", -1, 1e30, 10**30, [], True),
    ],
)
def test_a_time_that_no_outcome_can_have_is_a_400_and_nothing_is_recorded(rig, post, time):
    before = len(rig.records("outcome"))
    good = {"task": "PR-1", "name": "merged", "value": 1}

    reply = post([good, good | {"time": time}])

    assert reply.status_code == 400
    assert reply.json()["error"]["message"].startswith("no outcome: ")
    assert len(rig.records("outcome")) == before


@pytest.mark.parametrize(
    "body", [b'{"task": "\\ud83d", "name": "n", "value": 1}', b"[" * 100_000, b'{"a":' * 100_000, b"\xff"]
)
def test_a_body_that_no_decoder_takes_is_a_400(rig, body):
    reply = httpx.post(f"{rig.url}/outcomes", content=body, headers=rig.headers())

    assert reply.status_code == 400


def test_outcomes_need_a_modicum_key(rig):
    told = {"task": "PR-1", "name": "merged", "value": 1}

    assert httpx.post(f"{rig.url}/outcomes", json=told).status_code == 401
    assert httpx.post(f"{rig.url}/outcomes", json=told, headers={"x-api-key": "sk-own-key"}).status_code == 401


def test_another_key_cannot_overwrite_an_outcome(rig):
    told = {"task": "PR-7", "name": "merged", "value": 1, "time": "2026-01-31T12:00:00Z"}
    keys = [rig.issue_key(name, team="platform") for name in ("reporter", "reporter", "other")]
    for ids in ({}, {"id": "7"}):
        before = len(rig.records("outcome"))
        for key, value in zip([keys[0], keys[0], keys[1], keys[2]], [0, 1, 0.25, 0.5], strict=True):
            headers = {"authorization": f"Bearer {key}"}
            reply = httpx.post(f"{rig.url}/outcomes", json=told | ids | {"value": value}, headers=headers)
            assert reply.status_code == 200

        store = open_store(":memory:")
        store.append_records(OUTCOMES, rig.records("outcome")[before:])
        values = sorted(one.value for one in store.records(OUTCOMES))
        store.close()
        assert values == [0.25, 0.5, 1]  # the key's own second report replaced its first, and nobody else's did


@pytest.mark.parametrize("known", ["gateway:1", "recorded/merged/PR-1"])
def test_a_key_cannot_take_the_place_of_what_came_by_another_door(rig, post, known):
    before = len(rig.records("outcome"))

    assert post({"task": "PR-1", "name": "merged", "value": 0, "id": known}).status_code == 200

    (told,) = rig.records("outcome")[before:]
    assert told.outcome_id.startswith("gateway:")
    assert told.outcome_id.count(":") >= 2
    assert told.outcome_id != known
