import pytest

from modicum.cli.inputs import audit_answers, log_sets


@pytest.fixture
def audits(monkeypatch):
    """How often an audit was worked out."""
    import modicum.insights.audit as insight

    count = []
    original = insight.audit
    monkeypatch.setattr(insight, "audit", lambda *words, **named: count.append(1) or original(*words, **named))
    monkeypatch.setattr(log_sets, "WORTH_SAVING_BYTES", 1)
    return count


def undated(document):
    """Without the moment in which it was printed."""
    return {name: value for name, value in document.items() if name != "made_at"}


def test_the_same_audit_of_the_same_logs_is_worked_out_once(modicum, transcripts, audits):
    first = modicum("audit", transcripts, "--json").json

    assert undated(modicum("audit", transcripts, "--json").json) == undated(first)
    assert len(audits) == 1


def test_another_question_or_other_logs_are_worked_out(modicum, transcripts, audits):
    modicum("audit", transcripts)
    modicum("audit", transcripts, "--what-if", "cache_ttl=1h")
    (transcripts / "rewind.jsonl").unlink()
    modicum("audit", transcripts)

    assert len(audits) == 3


def test_the_ledger_is_asked_again_once_something_was_booked(modicum, transcripts, audits):
    modicum("import", transcripts / "session.jsonl")
    first = modicum("audit", "--json").json
    assert undated(modicum("audit", "--json").json) == undated(first)
    modicum("import", transcripts / "rewind.jsonl")

    assert modicum("audit", "--json").json["calls"] > first["calls"]
    assert len(audits) == 2


def test_a_ledger_that_is_being_written_has_no_state(tmp_path):
    path = tmp_path / "ledger.duckdb"
    path.write_bytes(b"pages")
    assert audit_answers._ledger_state(str(path)) is not None
    (tmp_path / "ledger.duckdb.wal").write_bytes(b"more")

    assert audit_answers._ledger_state(str(path)) is None
    assert audit_answers._ledger_state("clickhouse://host/db") is None
    assert audit_answers._ledger_state(str(tmp_path / "gone")) is None
