import json


def test_importing_again_adds_nothing(modicum, transcripts):
    first = modicum("import", transcripts, "--json").json
    second = modicum("import", transcripts, "--json").json

    assert (first["new"], first["unchanged"]) == (7, 0)
    assert (second["new"], second["replaced"], second["unchanged"]) == (0, 0, 7)


def test_a_log_that_has_grown_adds_what_is_new_and_replaces_what_grew(modicum, transcripts, tmp_path):
    lines = (transcripts / "session.jsonl").read_text().splitlines(keepends=True)
    log = tmp_path / "s.jsonl"
    log.write_text("".join(lines[:3]))
    modicum("import", log)
    log.write_text("".join(lines))

    again = modicum("import", log, "--json").json

    assert (again["new"], again["replaced"]) == (2, 1)


def test_a_log_that_has_grown_tells_which_tool_results_nobody_read_afterwards(modicum, tmp_path):
    messages = [{"role": "user", "content": "Look at it."}]
    messages.append(
        {"role": "tool", "name": "fetch", "content": "\n".join(f"row {n} of amount{n}" for n in range(200))}
    )
    lines = []
    for number in range(9):
        reply = {"role": "assistant", "content": f"Step {number}."}
        told = {"modicum": 1, "call_id": f"c{number}", "model": "gpt-4o", "provider": "openai", "task": "t"}
        told |= {"started": f"2026-02-03T10:00:0{number}Z", "usage": {"input_uncached": 3000}}
        lines.append(json.dumps(told | {"messages": list(messages), "reply": reply}))
        messages.append(reply)
    log = tmp_path / "log.jsonl"

    log.write_text("\n".join(lines[:4]))
    modicum("import", log)
    early = modicum("audit", "--only", "unread_results", "--json").json["findings"][0]
    log.write_text("\n".join(lines))
    again = modicum("import", log, "--json").json
    late = modicum("audit", "--only", "unread_results", "--json").json["findings"][0]

    assert "modicum import" in early["lacks"]
    assert (again["new"], again["replaced"]) == (5, 0)
    assert (late["calls"], late["lacks"], late["details"]["results_unread"]) == (1, "", 1)


def test_what_is_kept_holds_no_text(modicum, transcripts, home):
    modicum("import", transcripts)
    stored = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())

    assert b"cart total" not in stored
    assert b"cart.py" not in stored


def test_old_entries_are_forgotten_where_the_settings_say_so(modicum, transcripts, tmp_path):
    (tmp_path / "work" / "modicum.toml").write_text("keep_days = 30\n")

    assert modicum("import", transcripts, "--json").json["purged"] == 7


def test_nothing_to_import_says_what_to_type(modicum):
    assert "modicum import --found" in modicum("import").err
    assert "no agent logs" in modicum("import", "--found").err
