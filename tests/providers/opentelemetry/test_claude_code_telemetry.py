from datetime import UTC, datetime, timedelta

import pytest

from modicum.calls import Outcome
from modicum.providers.opentelemetry.claude_code_telemetry import call_from_event, is_call, outcomes_from
from modicum.providers.opentelemetry.otel import Point, Span

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def event(name="claude_code.api_request", **attributes):
    about = {"session.id": "s", "model": "claude-haiku-4-5", "input_tokens": 5, "output_tokens": 1} | attributes
    return Span(trace_id="", span_id="", name=name, started=NOON, attributes=about)


def point(value, minute, *, is_delta, started=NOON, metric="claude_code.commit.count", **attributes):
    at = NOON + timedelta(minutes=minute)
    about = {"session.id": "s"} | attributes
    return Point(metric=metric, value=value, is_delta=is_delta, started=started, at=at, attributes=about)


@pytest.mark.parametrize(
    ("span", "is_one"),
    [
        (event(), True),
        (event("api_request"), True),
        (event("claude_code.api_error"), True),
        (event("claude_code.user_prompt"), False),
        (Span(trace_id="", span_id="", name="api_request", started=NOON), False),
    ],
)
def test_which_records_tell_of_calls(span, is_one):
    assert is_call(span) is is_one


def test_a_retried_request_under_one_id_is_two_records():
    failed = call_from_event(event("claude_code.api_error", request_id="req_1", status_code="529"), "otlp")
    done = call_from_event(event(request_id="req_1"), "otlp")

    assert (failed.call_id, done.call_id) == ("otlp:req_1:api_error", "otlp:req_1")


def test_events_without_request_id_differ_by_session_time_and_sequence():
    ids = {call_from_event(event(**{"event.sequence": number}), "otlp").call_id for number in (3, 4)}

    assert len(ids) == 2


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("claude-sonnet-4-6", "anthropic"),
        ("us.anthropic.claude-sonnet-4-6-v1:0", "aws"),
        ("claude-opus-4-5@20251101", "google"),
        ("qwen3-coder", ""),
    ],
)
def test_the_provider_follows_from_the_name_of_the_model(model, provider):
    assert call_from_event(event(model=model), "otlp").provider == provider


def total(points):
    """What a ledger adds up: of one id the value that came last."""
    standing = {one.outcome_id: one.value for one in outcomes_from(points, "p|") if isinstance(one, Outcome)}
    return sum(standing.values())


def test_deltas_add_up_and_what_is_sent_again_counts_once():
    points = [point(1, 1, is_delta=True), point(2, 2, is_delta=True), point(0, 3, is_delta=True)]

    assert total(points) == total(points + points[:1]) == 3


def test_a_growing_sum_counts_once_and_a_new_process_of_the_session_begins_again():
    later = NOON + timedelta(hours=1)
    points = [point(1, 1, is_delta=False), point(3, 2, is_delta=False), point(2, 70, is_delta=False, started=later)]

    assert total(points) == 5


def test_lines_that_were_added_and_removed_are_two_outcomes():
    metric = "claude_code.lines_of_code.count"
    points = [point(10, 1, is_delta=True, metric=metric, type=kind) for kind in ("added", "removed", "odd")]

    assert [one.name for one in outcomes_from(points, "")] == ["agent_lines_added", "agent_lines_removed"]


@pytest.mark.parametrize("value", [-1, float("inf"), float("nan")])
def test_a_value_that_is_no_count_is_told(value):
    (reason,) = outcomes_from([point(value, 1, is_delta=True)], "")

    assert "no count" in reason


def test_a_session_that_begins_has_no_commit_yet_which_adds_nothing_to_those_that_come():
    points = [point(1, 0, is_delta=True, metric="claude_code.session.count"), point(2, 1, is_delta=True)]

    outcomes = list(outcomes_from(points, ""))

    assert [(one.name, one.value) for one in outcomes] == [
        ("agent_commits", 0),
        ("agent_pull_requests", 0),
        ("agent_commits", 2),
    ]
    assert len({one.outcome_id for one in outcomes}) == 3


def test_counters_of_tokens_and_cost_are_passed_over():
    assert list(outcomes_from([point(9, 1, is_delta=True, metric="claude_code.token.usage")], "")) == []
