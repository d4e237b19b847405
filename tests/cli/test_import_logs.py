import json

import pytest

from cli.process_rig import on_a_full_disk, one_line_and_no_trace
from modicum.library.resources import read_digest_key


def test_importing_again_adds_nothing(modicum, transcripts):
    first = modicum("import", transcripts, "--json").json
    second = modicum("import", transcripts, "--json").json

    assert (first["new"], first["unchanged"], first["files_unchanged"]) == (7, 0, 0)
    assert (second["new"], second["replaced"], second["unchanged"]) == (0, 0, 0)
    assert second["files_unchanged"] == len(list(transcripts.rglob("*.jsonl")))
    assert modicum("bill", "--json").json["calls"] == 7


def test_with_again_the_files_that_did_not_change_are_read_too(modicum, transcripts):
    modicum("import", transcripts)

    assert modicum("import", transcripts, "--again", "--json").json["unchanged"] == 7
    assert "unchanged since the last import" in modicum("import", transcripts).out


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


def session(path, name, *numbers):
    """A transcript with one question and one answer a number; every prompt holds all that came before."""
    rows, prompt = [], 20_000
    for place, number in enumerate(numbers):
        shared = {"sessionId": name, "cwd": "/home/ada/shop", "version": "2.1.17", "isSidechain": False}
        parent = f"a{numbers[place - 1]}" if place else None
        asked = {"role": "user", "content": f"Question {number}: " + "what does this file do? " * 200}
        answer = {"type": "text", "text": f"Answer {number}: " + "it adds up the items of a cart. " * 100}
        at = f"2026-02-03T10:{number:02}"
        usage = {"input_tokens": 3, "output_tokens": 800, "cache_creation_input_tokens": 2_000}
        usage["cache_read_input_tokens"] = prompt
        prompt += 2_000
        told = {"id": f"msg_{number}", "model": "claude-opus-4-5", "role": "assistant", "content": [answer]}
        for kind, row in (
            ("user", {"uuid": f"u{number}", "parentUuid": parent, "timestamp": f"{at}:00.000Z", "message": asked}),
            (
                "assistant",
                {"uuid": f"a{number}", "parentUuid": f"u{number}", "timestamp": f"{at}:09.000Z"}
                | {"requestId": f"req_{number}", "message": told | {"usage": usage}},
            ),
        ):
            rows.append(json.dumps(shared | {"type": kind} | row))
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize(
    "order",
    [
        pytest.param([["parent"], ["fork"]], id="parent then fork"),
        pytest.param([["fork"], ["parent"]], id="fork then parent"),
        pytest.param([["parent", "fork"]], id="together"),
        pytest.param([["fork", "parent"]], id="together, fork first"),
        pytest.param([["begun"], ["fork", "parent"]], id="parent has grown since"),
    ],
)
def test_a_fork_and_its_parent_come_to_the_same_in_whatever_order_they_are_imported(modicum, tmp_path, order):
    logs = {
        "begun": session(tmp_path / "begun.jsonl", "parent", *range(1, 4)),
        "parent": session(tmp_path / "parent.jsonl", "parent", *range(1, 9)),
        "fork": session(tmp_path / "fork.jsonl", "fork", *range(1, 6), *range(20, 25)),
    }
    told = [modicum("import", *(logs[name] for name in names), "--json").json for names in order]
    anatomy = modicum("anatomy", "--json").json
    straight = modicum("anatomy", logs["parent"], logs["fork"], "--json").json
    again = modicum("import", logs["parent"], logs["fork"], "--again", "--json").json

    assert sum(one["new"] for one in told) == 13
    assert anatomy["cost_usd"] == pytest.approx(
        sum(3 * 5 + 2_000 * 6.25 + read * 0.5 + 800 * 25 for read in PROMPTS) / 1e6
    )
    assert costs(anatomy) == pytest.approx(costs(straight))
    assert abs(anatomy["rest_usd"]) < 0.005 * anatomy["cost_usd"]
    assert (again["new"], again["replaced"], again["unchanged"]) == (0, 0, 18)
    assert modicum("anatomy", "--json").json == anatomy


def costs(anatomy):
    return {part["name"]: part["cost_usd"] for part in anatomy["parts"]}


PROMPTS = [20_000 + 2_000 * place for place in (*range(8), *range(5, 10))]
"""What the calls of the test above read from the cache: the fork goes on after five of its parent's."""


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


def test_an_import_into_a_full_disk_is_one_line(modicum, transcripts):
    words = ("import", str(transcripts), "--ledger")
    one_line_and_no_trace(on_a_full_disk(*words, "new.duckdb"), "new.duckdb", "make room")
    read_digest_key()  # it is made now, as long as there is room
    modicum("ledger", "info", "--ledger", "old.duckdb")

    one_line_and_no_trace(on_a_full_disk(*words, "old.duckdb"), "old.duckdb", "make room")
