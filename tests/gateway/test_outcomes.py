import httpx2 as httpx
import pytest


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


def test_outcomes_need_a_modicum_key(rig):
    told = {"task": "PR-1", "name": "merged", "value": 1}

    assert httpx.post(f"{rig.url}/outcomes", json=told).status_code == 401
    assert httpx.post(f"{rig.url}/outcomes", json=told, headers={"x-api-key": "sk-own"}).status_code == 401
