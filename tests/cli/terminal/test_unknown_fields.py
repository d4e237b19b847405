"""The report of what this version does not know, and who says it first."""

import json

import pytest

REPLY = {
    "id": "msg_01ABCDEFGHIJKLMNOPQRSTUV",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": "a secret of Ada's"}],
    "created_at": "2026-02-03T10:00:00Z",
    "usage": {"input_tokens": 1000, "output_tokens": 10, "smell_tokens": 4711, "service_tier": "turbo"},
}
NUMBER = "usage.smell_tokens: a number that this version does not know"
WORD = "service_tier=turbo: a word for the price that this version does not know"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "replies.jsonl"
    second = {**REPLY, "id": "msg_01ABCDEFGHIJKLMNOPQRSTUW"}
    path.write_text("not JSON at all\n" + json.dumps(REPLY) + "\n" + json.dumps(second) + "\n")
    return path


def test_every_verb_that_reads_names_a_field_once_a_file_and_first(modicum, log):
    for verb in (("bill", log), ("import", log), ("audit", log)):
        problems = modicum(*verb, "--json", "--source", "anthropic").json["problems"]
        assert [problem["reason"].split(",")[0] for problem in problems[:2]] == [NUMBER, WORD]
        assert problems[0]["reason"].startswith(f"{NUMBER}, in 2 calls, whose cost is estimated; ")
        assert sum("smell" in problem["reason"] for problem in problems) == 1
    error = modicum("bill", log, "--source", "anthropic").err
    assert error.index("smell_tokens") < error.index("JSON")


def test_a_bill_says_why_it_is_not_exact_from_logs_and_from_the_ledger(modicum, log):
    modicum("import", log, "--source", "anthropic")

    from_logs = modicum("bill", log, "--source", "anthropic", "--json").json
    from_ledger = modicum("bill", "--json").json

    assert from_ledger["doubts"] == from_logs["doubts"]
    assert {(doubt["reason"], doubt["calls"]) for doubt in from_logs["doubts"]} == {(NUMBER, 2), (WORD, 2)}
    assert f"not exact, 2 calls: {NUMBER}" in modicum("bill").out


def test_doctor_says_it_and_the_report_holds_names_alone(modicum, log, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    modicum("import", log, "--source", "anthropic")

    ran = modicum("doctor", "--json")
    assert ran.status == 1
    checks = ran.json
    assert [check["what"] for check in checks if not check["fine"]][:2] == [
        "unknown field service_tier=turbo",
        "unknown field usage.smell_tokens",
    ]
    path = tmp_path / "report.json"
    assert "2 fields that this version does not know" in modicum("doctor", "--unknown-fields", path).out
    report = json.loads(path.read_text())
    assert report == modicum("doctor", "--unknown-fields").json
    assert report["left_out"] == ["logs"]
    assert report["fields"][1] == {
        "seen_in": "ledger",
        "source": "anthropic",
        "provider": "anthropic",
        "field": "usage.smell_tokens",
        "kind": "number",
        "calls": 2,
    }
    assert set(report["versions"]) == {"python", "modicum", "genai-prices"}
    text = path.read_text()
    assert not any(part in text for part in ("4711", "secret", "msg_01", "claude-sonnet", str(tmp_path)))
