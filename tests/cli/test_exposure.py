import json


def test_what_was_sent_is_counted_at_import_and_no_value_is_kept(modicum, tmp_path):
    log = tmp_path / "calls.jsonl"
    line = {
        "modicum": 1,
        "model": "gpt-4o",
        "provider": "openai",
        "started": "2026-02-03T10:00:00Z",
        "usage": {"input_uncached": 20},
        "messages": [{"role": "user", "content": "write to ada@engine.org"}],
    }
    log.write_text(json.dumps(line) + "\n")
    modicum("import", log, "--ledger", tmp_path / "l.duckdb")

    ran = modicum("exposure", "--json", "--ledger", tmp_path / "l.duckdb")

    (row,) = ran.json["rows"]
    assert (row["name"], row["seen"]) == ("openai", {"email": 1})
    assert "ada" not in ran.out
    assert b"ada@engine.org" not in (tmp_path / "l.duckdb").read_bytes()


def test_an_unknown_part_is_refused_with_those_that_exist(modicum):
    ran = modicum("exposure", "--by", "colour")

    assert ran.status == 2
    assert "provider, team" in ran.err
