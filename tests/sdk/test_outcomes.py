import socket
from datetime import UTC, datetime

import pytest

from gateway.rig import running
from modicum.calls import UserError
from modicum.sdk.outcomes import post_outcome

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    with running(tmp_path_factory.mktemp("gateway")) as rig:
        yield rig


def test_an_outcome_is_in_the_journal_of_the_gateway(rig):
    post_outcome(rig.url, rig.key, "PR-12", "merged", 1, time=NOON, outcome_id="12")

    (outcome,) = rig.records("outcome")
    assert (outcome.task, outcome.name, outcome.value, outcome.time) == ("PR-12", "merged", 1.0, NOON)
    assert outcome.outcome_id.endswith(":12")


@pytest.mark.parametrize(
    ("key", "task", "why"), [("mod-wrong", "PR-1", "status 401: "), (None, "", "may not be empty")]
)
def test_a_refusal_says_why_and_records_nothing(rig, key, task, why):
    before = len(rig.records("outcome"))

    with pytest.raises(UserError, match=why):
        post_outcome(rig.url, key or rig.key, task, "merged", 1)
    assert len(rig.records("outcome")) == before


def test_no_gateway_is_an_error_of_the_user():
    with socket.socket() as unheard:  # bound and never listening, so nobody else answers there
        unheard.bind(("127.0.0.1", 0))
        with pytest.raises(UserError, match="no gateway answers"):
            post_outcome(f"http://127.0.0.1:{unheard.getsockname()[1]}", "k", "t", "n", 1)
