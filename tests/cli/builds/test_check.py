"""`modicum check`, on results and on traces."""

import json
import subprocess
import sys

import pytest

WOBBLE = (0.95, 1.02, 1.05, 0.98, 1.01, 0.97)


def write_results(path, factor=1.0, shift=0, tasks=30, outcome="1"):
    rows = [
        f"t{task},{outcome},{1000 * (task + 1) * factor * WOBBLE[(task + shift) % 6]:.0f},"
        f"{0.01 * (task + 1) * factor * WOBBLE[(task * 5 + shift) % 6]:.6f}"
        for task in range(tasks)
    ]
    path.write_text("\n".join(["task,success,total_tokens,cost_usd", *rows]) + "\n")
    return path


def write_trace(path, extra=0, calls=2, sessions=20):
    """Calls whose prompts have a system prompt, longer with the change, and a question."""
    rows = []
    for session in range(sessions):
        for call in range(calls):
            system = "Follow the rules of the house. " * (20 + extra)
            rows.append(
                {
                    "modicum": 1,
                    "model": "gpt-4o",
                    "provider": "openai",
                    "started": f"2026-02-03T10:{session:02}:{call:02}Z",
                    "task": f"{path.stem}{session}",
                    "usage": {"input_uncached": 200 + 7 * extra + 10 * session + session % 3, "output_visible": 20},
                    "tags": {"case": f"case{session}"},
                    "messages": [
                        {"role": "system", "content": system},
                        {"role": "user", "content": f"question {call}"},
                    ],
                }
            )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def main(folder):
    return write_results(folder / "main.csv")


def test_a_rise_fails_and_says_by_how_much(modicum, folder, main):
    ran = modicum("check", main, write_results(folder / "pr.csv", 1.18, 1))

    assert ran.status == 1
    lines = ran.out.splitlines()
    assert lines[:2] == ["raised: 30 tasks before, 30 after", "resolved: 100.0 % before, 100.0 % after"]
    assert lines[3].split()[:7] == ["tokens", "per", "task", "15,448", "18,174", "+18", "%"]
    assert lines[3].endswith("raised")
    assert max(map(len, lines)) <= 80


def test_what_is_not_raised_passes_and_a_bound_can_be_allowed(modicum, folder, main):
    assert modicum("check", main, write_results(folder / "pr.csv", 1.0, 1)).status == 0
    higher = write_results(folder / "higher.csv", 1.05, 1)
    assert modicum("check", main, higher, "--allow", "12").status == 0
    found = modicum("check", main, higher, "--json").json
    assert set(found) >= {"is_raised", "is_decided", "ratios", "reasons", "remarks", "problems"}


def test_traces_say_which_part_of_the_prompt_grew(modicum, folder):
    before, after = write_trace(folder / "a.jsonl"), write_trace(folder / "b.jsonl", extra=30, calls=3)

    ran = modicum("check", before, after, "--pair", "tag:case")
    assert ran.status == 1
    assert "why: 2.0 calls per task before, 3.0 after" in ran.out
    assert "why: system prompt +" in ran.out
    assert "No task is known to be resolved on both sides" in ran.out
    found = modicum("check", before, after, "--pair", "tag:case", "--json").json
    assert found["tasks_common"] == 20
    assert found["reasons"][1]["unit"] == "tokens per task"


def test_outcomes_of_traces_make_it_per_resolved_task(modicum, folder):
    before, after = write_trace(folder / "a.jsonl"), write_trace(folder / "b.jsonl")
    outcomes = folder / "outcomes.csv"
    rows = [f"{name}{n},resolved,{int(n % 4 > 0)},2026-02-03T11:00:00Z" for name in "ab" for n in range(20)]
    outcomes.write_text("\n".join(["task,name,value,time", *rows]))

    found = modicum("check", before, after, "--pair", "tag:case", "--outcomes", outcomes, "--json").json
    assert {one["per"] for one in found["ratios"]} == {"task", "resolved task"}
    assert (found["is_raised"], found["resolved_before"]) == (False, 0.75)
    outcomes.write_text(outcomes.read_text() + "\na1,other,1,2026-02-03T11:00:00Z")
    ran = modicum("check", before, after, "--outcomes", outcomes)
    assert "choose one with --outcome NAME" in ran.err


def test_the_tasks_are_run_first_and_a_command_that_fails_is_said(modicum, folder, main):
    write_results(folder / "made.csv", 1.3, 1)
    copy = f"{sys.executable} -c \"import shutil; shutil.copy('made.csv', 'pr.csv')\""

    assert modicum("check", main, folder / "pr.csv", "--run", copy).status == 1
    ran = modicum("check", main, folder / "pr.csv", "--run", f'{sys.executable} -c "import sys; sys.exit(4)"')
    assert (ran.status, "ended with status 4, so there is nothing to check" in ran.err) == (2, True)
    assert modicum("check", main, main, "--run", "'").status == 2
    assert "cannot be started" in modicum("check", main, main, "--run", "no-such-command").err


def test_files_that_agents_read_are_compared_with_a_commit(modicum, folder, main):
    def git(*words):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True, capture_output=True)

    git("init", "-q")
    (folder / "CLAUDE.md").write_text("Be brief.\n")
    git("add", "CLAUDE.md")
    git("commit", "-qm", "one")
    (folder / "CLAUDE.md").write_text("Be brief.\n" + "Always run the linter before you answer.\n" * 100)
    (folder / "docs").mkdir()
    (folder / "docs" / "agent.md").write_text("a b c")

    words = ("check", main, write_results(folder / "pr.csv", 1.2, 1), "--base", "HEAD")
    ran = modicum(*words)
    assert ran.status == 1
    assert "why: CLAUDE.md +900 tokens" in ran.out
    found = modicum(*words, "--context", "docs/**", "--json").json
    assert [one["what"] for one in found["reasons"]] == ["CLAUDE.md", "docs/agent.md"]
    ran = modicum("check", main, main, "--base", "nowhere")
    assert (ran.status, "git knows no 'nowhere'" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("main.csv", "gone.csv"), "there is no file or folder"),
        (("main.csv", "empty.csv"), "holds no tasks"),
        (("main.csv", "noise.bin"), "holds no tasks"),
        (("trace.jsonl", "trace.jsonl", "--pair", "colour"), "--pair 'colour' is not known; accepted are task"),
        (("trace.jsonl", "trace.jsonl", "--pair", "tag:gone"), "holds no tasks"),
    ],
)
def test_what_cannot_be_checked_says_why(modicum, folder, main, words, reason):
    (folder / "empty.csv").touch()
    (folder / "noise.bin").write_bytes(b"\xff\x00\x01" * 99)
    write_trace(folder / "trace.jsonl", sessions=2)

    ran = modicum("check", *words)
    assert (ran.status, reason in ran.err) == (2, True), ran.err


def test_one_task_decides_nothing_and_only_strict_makes_a_fault_of_that(modicum, folder):
    before, after = (write_results(folder / name, tasks=1) for name in ("a.csv", "b.csv"))

    ran = modicum("check", before, after)
    assert (ran.status, ran.out.splitlines()[0]) == (0, "undecided: 1 task before, 1 after")
    assert modicum("check", before, after, "--strict").status == 3
