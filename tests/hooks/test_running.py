"""One event in, one line out: what a hook says to its agent, and what it records."""

import io
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from hooks.events import LOG, ROWS, claude, gemini, read_of
from modicum.hooks import records, running
from modicum.hooks.__main__ import MOST_BYTES, main
from modicum.hooks.agents import AGENTS
from modicum.hooks.policy import HookPolicy, write_policy

ALL = ("content.json_minify", "content.json_tables", "content.terminal", "content.log_fold", "content.cut")
ACTS = HookPolicy(b"key", (*ALL, "content.repeats"), 0.0)
WATCHES = HookPolicy(b"key")


def answer(event, folder, policy=ACTS, name="claude-code", now_s=1_000.0):
    text = running.answer_result(AGENTS[name], event, policy, folder, now_s)
    return json.loads(text) if text else None


def updated(event, folder, **options):
    return answer(event, folder, **options)["hookSpecificOutput"]["updatedToolOutput"]


def test_a_long_output_comes_back_shorter_in_the_shape_that_the_agent_wants(tmp_path):
    response = {
        "stdout": LOG,
        "stderr": "",
        "interrupted": False,
        "persistedOutputPath": "/x",
        "persistedOutputSize": 9,
    }

    found = answer(claude(response=response), tmp_path)

    assert list(found) == ["hookSpecificOutput"]
    assert set(found["hookSpecificOutput"]) == {"hookEventName", "updatedToolOutput"}
    shorter = found["hookSpecificOutput"]["updatedToolOutput"]
    assert set(shorter) == {"stdout", "stderr", "interrupted"}
    assert len(shorter["stdout"]) < len(LOG) / 10
    assert "(x200)" in shorter["stdout"]


@pytest.mark.parametrize("wrap", [lambda text: [{"type": "image"}, {"type": "text", "text": text}], str])
def test_results_of_mcp_tools_keep_their_blocks(tmp_path, wrap):
    found = updated(claude("mcp__tides__list", wrap(ROWS)), tmp_path)

    text = found if isinstance(found, str) else found[1]["text"]
    assert "columns of this table" in text
    assert isinstance(found, str) or found[0] == {"type": "image"}


def test_json_of_a_shell_stays_because_agents_quote_files(tmp_path):
    assert answer(claude(response={"stdout": ROWS, "stderr": "", "interrupted": False}), tmp_path) is None


def test_a_file_is_never_shortened_and_said_to_be_unchanged_once(tmp_path):
    event = {"tool": "Read", "response": read_of(LOG)}

    assert answer(claude(**event, call="1"), tmp_path, now_s=0) is None
    file = updated(claude(**event, call="2"), tmp_path, now_s=240)["file"]
    assert "unchanged, the very text that Read returned 4 minutes ago" in file["content"]
    assert file["numLines"] == 1
    assert answer(claude(**event, call="3"), tmp_path, now_s=300) is None  # who asks again sees all of it


def test_another_session_agent_or_text_and_a_long_pause_are_no_repeat(tmp_path):
    read = {"tool": "Read", "response": read_of(LOG)}
    answer(claude(**read, call="1"), tmp_path, now_s=0)

    assert answer(claude(**read, call="2", session="s-2"), tmp_path, now_s=1) is None
    assert answer(claude(**read, call="3", agent_id="explorer"), tmp_path, now_s=1) is None
    assert answer(claude("Read", read_of(LOG + "!"), call="4"), tmp_path, now_s=1) is None
    assert answer(claude(**read, call="5"), tmp_path, now_s=4_000) is None


def test_two_versions_that_see_one_result_take_it_for_no_repeat(tmp_path):
    event = claude("Read", read_of(LOG), call="toolu_9")

    assert [answer(event, tmp_path, now_s=0), answer(event, tmp_path, now_s=0.1)] == [None, None]


def test_a_session_that_begins_anew_has_seen_nothing(tmp_path):
    write_policy(tmp_path, "claude-code", ACTS)
    read = {"tool": "Read", "response": read_of(LOG)}
    running.answer_result(AGENTS["claude-code"], claude(**read, call="1"), ACTS, tmp_path, 0)
    start = {"session_id": "s-1", "hook_event_name": "SessionStart", "source": "compact"}

    assert running.run(["new-session", "claude-code", str(tmp_path)], json.dumps(start).encode(), 30) == ""

    assert answer(claude(**read, call="2"), tmp_path, now_s=10) is None


def test_who_watches_says_nothing_and_records_sizes_without_text(tmp_path):
    assert answer(claude(), tmp_path, WATCHES) is None

    (row,) = records.sums(tmp_path, "claude-code")
    assert (row.rule, row.arm, row.results, row.characters) == ("content.log_fold", "observed", 1, len(LOG))
    assert row.removed > len(LOG) * 0.9
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"request" not in written
    assert b"server.log" not in written
    assert b"s-1" not in written


def test_sessions_are_held_out_whole_by_a_keyed_lot(tmp_path):
    policy = ACTS._replace(hold_out=0.5)
    acted = {
        number: [answer(claude(session=f"s-{number}"), tmp_path, policy) is not None for _ in range(2)]
        for number in range(60)
    }

    firsts = [one[0] for one in acted.values()]
    assert 15 < sum(firsts) < 45
    assert policy.arm("x") == policy.arm("x")
    assert any(policy.arm(str(n)) != policy._replace(key=b"other").arm(str(n)) for n in range(20))
    arms = {row.arm for row in records.sums(tmp_path, "claude-code")}
    assert arms == {"acted", "held_out"}


def test_gemini_takes_a_text_and_codex_can_only_watch(tmp_path):
    found = answer(gemini(), tmp_path, name="gemini-cli")
    event = claude(response=LOG)

    assert found["hookSpecificOutput"]["hookEventName"] == "AfterTool"
    assert len(found["hookSpecificOutput"]["tool_output"]) < len(LOG)
    assert answer(gemini(tool="read_file"), tmp_path, name="gemini-cli") is not None  # the very text again
    assert answer(event, tmp_path, name="codex") is None
    assert [row.arm for row in records.sums(tmp_path, "codex")] == ["observed"]


@pytest.mark.parametrize(
    "response",
    [None, 7, [], {}, {"stdout": 7}, {"type": "image", "file": {}}, {"file": LOG}, [{"type": "text"}], "x" * 3_000],
)
@pytest.mark.parametrize("tool", ["Bash", "Read", "Grep", "NewToolOf2027", "mcp__a__b", ""])
def test_what_an_unknown_version_sends_stays_as_it_is(tmp_path, tool, response):
    event = json.dumps({"session_id": 3, "tool_name": tool, "tool_response": response, "pad": "x" * 2_000}).encode()

    assert answer(event, tmp_path) is None


@pytest.mark.parametrize("event", [b"", b"{", b"[]", b"7", b'"x"', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_event_prints_nothing(tmp_path, event):
    write_policy(tmp_path, "claude-code", ACTS)
    for what in ("after-tool", "new-session", "status-line"):
        assert running.run([what, "claude-code", str(tmp_path)], event, 30) == ""
    assert running.run([], event, 30) == running.run(["after-tool", "nobody", "x"], event, 30) == ""
    assert records.faults(tmp_path, "claude-code")


def test_removed_hooks_and_those_of_another_version_do_nothing(tmp_path):
    arguments = ["after-tool", "claude-code", str(tmp_path)]
    assert running.run(arguments, claude(), 30) == ""
    (tmp_path / "claude-code.policy.json").write_text('{"schema": 2, "key": "", "rules": ["content"], "hold_out": 0}')

    assert running.run(arguments, claude(), 30) == ""
    write_policy(tmp_path, "claude-code", ACTS)
    assert json.loads(running.run(arguments, claude(), 30))


def hook(arguments, event, code="import runpy; runpy.run_module('modicum.hooks', run_name='__main__')"):
    command = [sys.executable, "-I", "-c", code, *arguments]
    return subprocess.run(command, input=event, capture_output=True, check=False, timeout=60)


def test_a_rule_that_hangs_ends_with_its_process_and_is_counted(tmp_path):
    write_policy(tmp_path, "claude-code", ACTS)
    code = (
        "import sys, modicum.hooks.running as running; LOG = 'x'; "
        " running.shorten = lambda *_: iter(lambda: ('a rule', LOG), None); "
        "running.run(sys.argv[1:], sys.stdin.buffer.read(), 0.05)"
    )

    ended = hook(["after-tool", "claude-code", str(tmp_path)], claude(), code)

    assert (ended.returncode, ended.stdout) == (0, b"")
    assert records.faults(tmp_path, "claude-code") == {"timed_out": 1}


def test_a_short_result_loads_nothing_and_a_long_one_no_database_and_no_network(tmp_path):
    code = (
        "import sys, runpy, atexit; atexit.register(lambda: sys.stderr.write(' '.join(sys.modules))); "
        "runpy.run_module('modicum.hooks', run_name='__main__')"
    )
    arguments = ["after-tool", "claude-code", str(tmp_path)]

    short = hook(arguments, claude(response={"stdout": "ok"}), code).stderr.decode().split()
    long = hook(arguments, claude(), code).stderr.decode().split()

    assert {name for name in short if name.startswith(("modicum", "json", "msgspec"))} <= {"modicum", "modicum.hooks"}
    heavy = {
        "socket",
        "http",
        "ssl",
        "asyncio",
        "duckdb",
        "numpy",
        "click",
        "rich",
        "sqlite3",
        "modicum.providers.dialects",
    }
    assert "modicum.hooks.running" in long
    assert heavy.isdisjoint(long)


def test_nothing_in_the_folder_of_the_agents_work_is_imported(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('imported')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    command = [sys.executable, "-I", "-m", "modicum.hooks", "after-tool", "claude-code", str(tmp_path / "hooks")]
    ended = subprocess.run(
        command, input=claude(), capture_output=True, cwd=tmp_path, check=False, env=dict(os.environ)
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


@pytest.mark.parametrize("event", [b"", b"x" * 900, b"x" * (MOST_BYTES + 5)])
def test_events_that_are_too_short_or_too_long_print_nothing(monkeypatch, capsys, event):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(event)))
    monkeypatch.setattr("modicum.hooks.running.run", lambda *_: "answered")

    main(["after-tool", "claude-code", "/nowhere"])

    assert capsys.readouterr().out == ""
