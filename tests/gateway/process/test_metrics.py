"""What anybody who reaches the callers' port may see: no owner."""

from datetime import UTC, datetime, timedelta

import httpx2 as httpx

from gateway.rig import CHAT
from modicum.calls import Call, CallStatus, Usage
from modicum.gateway.process import metrics
from modicum.gateway.process.metrics import MOST_WAITING, Metrics
from modicum.ledger_process.metrics import ExportMetrics

OWNER = {"team": "team-of-zorro", "app": "app-of-zorro", "user": "user-zorro"}


def test_metrics_show_no_owner_to_those_without_a_token(rig):
    key = rig.issue_key("key-of-zorro", **OWNER)
    headers = {"authorization": f"Bearer {key}"}
    said = {f"x-modicum-{name}": f"said-{name}-zorro" for name in ("task", "agent", "project", "conversation", "tag-a")}
    own = {"authorization": "Bearer sk-0123456789abcdef", "x-modicum-team": "said-team-zorro"}
    for told in (headers | said, own, {"authorization": "Bearer sk-zorro"}):
        httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT | {"user": "field-zorro"}, headers=told)
    httpx.post(f"{rig.url}/outcomes", json={"task": "task-zorro", "name": "n", "value": 1}, headers=headers)
    booked = {call.owner.key for call in rig.records()}

    text = httpx.get(f"{rig.url}/metrics").text

    assert "modicum_calls_total" in text
    assert any(name == "key-of-zorro" for name in booked)
    assert "zorro" not in text
    assert not [name for name in booked if name.startswith("own-") and name in text]
    assert not {"team", "app", "user", "key", "owner", "task", "agent"} & labels(text)


def labels(text):
    """The names of all labels of a page of metrics."""
    inside = [line[line.index("{") + 1 : line.rindex("}")] for line in text.splitlines() if "{" in line]
    return {part.split("=")[0].strip(",") for pairs in inside for part in pairs.split('"')[::2] if part}


class Counts:
    spans_booked = spans_repeated = 0


def test_metrics_of_the_ledger_process_know_no_owner():
    assert labels(ExportMetrics(Counts()).text()) <= {"why"}


STARTED = datetime(2026, 12, 1, tzinfo=UTC)
LABELS = {"upstream": "stub", "model": "m", "status": "ok"}


def call(seconds=2.0, *, status=CallStatus.OK, output=5):
    return Call(
        call_id="c",
        source="gateway",
        provider="openai",
        model="m",
        started=STARTED,
        finished=STARTED + timedelta(seconds=seconds),
        first_token=STARTED + timedelta(seconds=seconds / 2),
        status=status,
        usage=Usage(input_uncached=10, output_visible=output),
    )


def ended(counted):
    """Calls that are booked, without asking for the text."""
    return counted.registry.get_sample_value("modicum_calls_total", LABELS) or 0


def test_calls_wait_to_be_booked_together_and_every_text_has_all_of_them():
    counted = Metrics()
    counted.record_call(call(0.2), "stub")
    counted.record_call(call(7.0, output=0), "stub")
    counted.record_call(call(7.0, status=CallStatus.ERROR, output=1), "stub")
    counted.record_call(call(1.0), "other")
    assert ended(counted) == 0

    lines = counted.text().decode().splitlines()

    assert ended(counted) == 2
    assert 'modicum_calls_total{model="m",status="error",upstream="stub"} 1.0' in lines
    assert 'modicum_calls_total{model="m",status="ok",upstream="other"} 1.0' in lines
    assert 'modicum_tokens_total{bucket="input_uncached",model="m"} 40.0' in lines
    assert 'modicum_tokens_total{bucket="output_visible",model="m"} 11.0' in lines
    assert 'modicum_call_seconds_sum{model="m"} 15.2' in lines
    assert 'modicum_call_seconds_bucket{le="0.25",model="m"} 1.0' in lines
    assert 'modicum_call_seconds_count{model="m"} 4.0' in lines
    assert 'modicum_first_token_seconds_sum{model="m"} 7.6' in lines
    assert counted.text().decode().splitlines() == lines


def test_no_more_calls_wait_than_are_booked_at_once():
    counted = Metrics()
    for _ in range(MOST_WAITING - 1):
        counted.record_call(call(), "stub")
    assert ended(counted) == 0

    counted.record_call(call(), "stub")

    assert ended(counted) == MOST_WAITING


def test_where_other_workers_tell_what_is_counted_here_nothing_waits(tmp_path, monkeypatch):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(metrics.values, "ValueClass", metrics.values.ValueClass)
    metrics.share(1)
    died = Metrics(tmp_path)
    died.record_call(call(), "stub")

    assert 'modicum_calls_total{model="m",status="ok",upstream="stub"} 1.0' in Metrics(tmp_path).text().decode()
