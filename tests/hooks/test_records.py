from modicum.hooks import records


def test_sums_are_by_rule_and_arm_and_broken_lines_count_for_nothing(tmp_path):
    for number in range(3):
        line = {"session": f"{number % 2}", "arm": "observed", "characters": 100, "removed": {"content.cut": 40}}
        records.record(tmp_path, "codex", line)
    records.record(tmp_path, "codex", {"failed": "KeyError at a.py:1"})
    file = tmp_path / "codex.records.jsonl"
    file.write_bytes(file.read_bytes() + b'{"arm"\n[]\n\xff\n')

    assert records.sums(tmp_path, "codex") == [("content.cut", "observed", 3, 300, 120)]
    assert records.sessions(tmp_path, "codex") == 2
    assert records.faults(tmp_path, "codex") == {"failed: KeyError at a.py:1": 1}
    assert file.stat().st_mode & 0o777 == 0o600
    assert records.sums(tmp_path, "gemini-cli") == []


def test_a_full_file_is_put_aside_and_still_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "MOST_BYTES", 300)
    for _ in range(4):
        records.record(tmp_path, "codex", {"arm": "acted", "characters": 10, "removed": {"content.cut": 5}})

    assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == ["codex.records.1.jsonl", "codex.records.jsonl"]
    assert records.sums(tmp_path, "codex")[0].results == 4
