import json


def test_what_was_sent_is_counted_at_import_and_no_value_is_kept(modicum, tmp_path):
    log = log_with(tmp_path, "write to ada@engine.org")
    modicum("import", log, "--ledger", tmp_path / "l.duckdb")

    ran = modicum("exposure", "--json", "--ledger", tmp_path / "l.duckdb")

    (row,) = ran.json["rows"]
    assert (row["name"], row["seen"]) == ("openai", {"email": 1})
    assert "ada" not in ran.out
    assert b"ada@engine.org" not in (tmp_path / "l.duckdb").read_bytes()


def test_logs_are_looked_at_without_a_ledger_and_kinds_of_text_are_counted(modicum, tmp_path):
    log = log_with(tmp_path, "write to ada@engine.org")

    ran = modicum("exposure", log)

    assert "email 1" in ran.out
    assert [line.split() for line in ran.out.splitlines()][-1][:4] == ["openai", "what", "users", "wrote"]


def test_an_empty_ledger_says_how_to_fill_it(modicum, tmp_path):
    ran = modicum("exposure", "--ledger", tmp_path / "l.duckdb")

    assert ran.status != 0
    assert "modicum import" in ran.err


def log_with(folder, text):
    log = folder / "calls.jsonl"
    line = {
        "modicum": 1,
        "model": "gpt-4o",
        "provider": "openai",
        "started": "2026-02-03T10:00:00Z",
        "usage": {"input_uncached": 20},
        "messages": [{"role": "user", "content": text}],
    }
    log.write_text(json.dumps(line) + "\n")
    return log


def test_an_unknown_part_is_refused_with_those_that_exist(modicum):
    ran = modicum("exposure", "--by", "colour")

    assert ran.status == 2
    assert "provider, team" in ran.err


def test_rows_are_csv(modicum, transcripts):
    assert modicum("exposure", transcripts, "--csv").out.startswith("provider,calls,prompt_tokens,calls_not_looked_at")
