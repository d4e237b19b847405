"""What anybody who reaches the callers' port may see: no owner."""

import httpx2 as httpx

from gateway.rig import CHAT
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
