"""The ledger process's door, as any program finds it."""

import http.client
import json

import pytest

from modicum.ledger.records import RECORDS
from modicum.ledger_process.running import find


def test_nobody_asks_without_the_token_that_only_its_user_can_read(ledger):
    assert (ledger.folder / "console.json").stat().st_mode & 0o077 == 0
    connection = http.client.HTTPConnection("127.0.0.1", ledger.port)
    connection.request("POST", "/api/live", b"{}", {"authorization": "Bearer guess"})
    assert connection.getresponse().read() == b"the token of console.json is needed\n"
    connection.close()


OUTCOME = {"outcome_id": "o", "task": "PR-1", "name": "merged", "value": 1.0, "time": "2026-02-03T10:00:00Z"}


@pytest.fixture
def post(ledger):
    """Asks in JSON; gives the status and the body."""

    def ask(path, body):
        connection = http.client.HTTPConnection("127.0.0.1", ledger.port)
        token = find(ledger.folder).token
        connection.request("POST", f"/api/{path}", json.dumps(body), {"authorization": f"Bearer {token}"})
        reply = connection.getresponse()
        found = reply.status, reply.read().decode()
        connection.close()
        return found

    return ask


def test_programs_may_ask_in_json(post):
    status, body = post("live", {"by": "team"})

    assert (status, json.loads(body)["by"]) == (200, "team")


def test_programs_may_book_and_read_records_in_json(post):
    told = OUTCOME
    other = told | {"outcome_id": "p", "time": "2026-02-04T10:00:00Z"}

    status, body = post("append/outcomes", {"records": [told, other]})
    assert (status, json.loads(body)) == (200, {"new": 2, "replaced": 0, "unchanged": 0})
    assert json.loads(post("records/outcomes", {})[1]) == [told | {"source": ""}, other | {"source": ""}]
    assert json.loads(post("records/outcomes", {"until": "2026-02-04T00:00:00Z"})[1]) == [told | {"source": ""}]
    assert json.loads(post("records/outcomes", {"after": told, "most": 5})[1]) == [other | {"source": ""}]


def test_every_noun_has_a_door(post):
    for name in RECORDS:
        assert post(f"records/{name}", {}) == (200, "[]")


@pytest.mark.parametrize("path", ["records/entries_log", "records", "append/nothing", "outcomes", "records/outcomes/x"])
def test_what_is_no_noun_is_not_served(post, path):
    assert post(path, {}) == (404, "nothing is served here\n")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("records/outcomes", {"since": "2026-02-03T10:00:00"}),  # of no zone
        ("records/outcomes", {"most": -1}),
        ("records/outcomes", {"after": {"task": "t"}}),
        ("append/outcomes", {"records": [{"task": "t"}]}),
        ("append/outcomes", [{"outcome_id": "o"}]),
        ("append/outcomes", {"records": [OUTCOME], "sent_ns": [1, 2]}),
        ("purge-records", {}),
        ("purge-records", {"before": "yesterday"}),
    ],
)
def test_what_cannot_be_understood_is_said(post, path, body):
    status, answer = post(path, body)

    assert status == 400
    assert answer.startswith("the question cannot be understood: ")
