import json

import pytest

from modicum.cli import main
from modicum.metering.claude_tokens import count_claude_tokens
from modicum.metering.tokens import count_with


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


@pytest.fixture
def logs(tmp_path):
    """Ten sessions of a model whose tokens are 1.5 of ours, give or take 2 %, and 40 more around each step."""
    folder = tmp_path / ".claude/projects/p"
    folder.mkdir(parents=True)
    for session in range(10):
        rows, prompt = [], 20_000
        for step in range(12):
            wrote, came = "Words. " * (step * 20 + session + 1), "More. " * (step * 7 + 3)
            usage = {"input_tokens": prompt, "output_tokens": 1}
            message = {"id": f"msg_{session}_{step}", "model": "claude-opus-4-7", "usage": usage}
            frame = {"parentUuid": None, "sessionId": str(session)}
            rows.append(
                {**frame, "type": "assistant", "message": message | {"content": [{"type": "text", "text": wrote}]}}
            )
            rows.append({**frame, "type": "user", "message": {"content": came}})
            counted = count_with(wrote, "o200k_base") + count_with(came, "o200k_base")
            prompt += 40 + round(1.5 * counted * (1.02 if step % 2 else 0.98))
        (folder / f"{session}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def run(capsys, *args):
    with pytest.raises(SystemExit) as stop:
        main(list(args))
    out, err = capsys.readouterr()
    return stop.value.code, out, err


def test_ones_own_transcripts_are_found_and_count_uses_what_they_say(capsys, logs, tmp_path):
    text = tmp_path / "a.md"
    text.write_text("Words. " * 500)

    code, out, _ = run(capsys, "calibrate")
    _, counted, _ = run(capsys, "count", str(text), "-m", "claude-opus-4-7", "--json")

    assert code == 0
    assert out.splitlines()[2].split()[:4] == ["claude-4.7", "any", "110", "10"]
    assert out.splitlines()[2].split()[-1] == "yes"
    model = json.loads(counted)["models"][0]
    assert model["tokens"] == pytest.approx(1.5 * count_with(text.read_text(), "o200k_base"), rel=0.03)
    assert "your own records" in model["known_by"]


def test_a_dry_run_keeps_nothing(capsys, logs, tmp_path):
    _, out, _ = run(capsys, "calibrate", str(logs), "--dry-run", "--json")

    report = json.loads(out)
    assert report["steps"] == 110
    assert report["calibrations"][0]["used"] is True
    assert report["kept_in"] is None
    assert not list(tmp_path.rglob("calibrations.json"))


def test_no_transcripts_and_too_few_steps_say_so(capsys, tmp_path):
    (tmp_path / "empty").mkdir()

    assert "name a folder or file instead" in run(capsys, "calibrate")[2]
    assert "Too few to calibrate with" in run(capsys, "calibrate", str(tmp_path / "empty"))[1]


def test_other_logs_with_content_calibrate_their_models_too(capsys, tmp_path):
    lines = []
    for session in range(10):
        prompt, kept, held = 5000, 0, 0
        for turn in range(12):
            added = 100 + 37 * ((turn * 7 + session) % 11)
            prompt += round(1.2 * added * (1.02 if turn % 2 else 0.98))
            lines.append(
                {
                    "model": "gemini-2.5-pro",
                    "started": f"2026-03-02T14:{session:02d}:{turn:02d}Z",
                    "usage": {"input_uncached": prompt},
                    "task": f"s{session}",
                    "kept_segments": kept,
                    "kept_tokens": held,
                    "segments": [{"kind": "user", "tokens": added}],
                }
            )
            kept, held = kept + 1, held + added
    log = tmp_path / "calls.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))

    _, out, _ = run(capsys, "calibrate", str(log), "--dry-run", "--json")

    (found,) = [one["own"] for one in json.loads(out)["calibrations"]]
    assert (found["family"], found["pairs"], found["groups"]) == ("gemini", 110, 10)
    assert found["ratio"] == pytest.approx(1.2, abs=0.03)
    assert found["error"] < 0.03


def write_claude_logs(folder, count, model):
    """Ten sessions whose provider counts so, with 6 tokens around each exchange of words."""
    for session in range(10):
        rows, prompt = [], 20_000
        for step in range(12):
            wrote, came = f"The answer {step} is so. " * (step * 20 + session + 1), "Why, and how? " * (step * 7 + 3)
            usage = {"input_tokens": prompt, "output_tokens": 1}
            message = {"id": f"msg_{session}_{step}", "model": model, "usage": usage}
            frame = {"parentUuid": None, "sessionId": str(session)}
            rows.append(
                {**frame, "type": "assistant", "message": message | {"content": [{"type": "text", "text": wrote}]}}
            )
            rows.append({**frame, "type": "user", "message": {"content": came}})
            prompt += 6 + count(wrote) + count(came)
        (folder / f"{session}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.parametrize(("model", "generation"), [("claude-opus-4-6", "3.0"), ("claude-opus-5-5", "4.8")])
def test_records_that_confirm_the_counter_make_counts_exact(capsys, tmp_path, model, generation):
    pytest.importorskip("ctok", reason="scripts/test-claude-tokens runs this")
    logs = tmp_path / "logs"
    logs.mkdir()
    write_claude_logs(logs, lambda text: count_claude_tokens(text, generation), model)
    text = tmp_path / "a.md"
    text.write_text("# Title\n\nSome words, `code` and 1,234 numbers.\n" * 40)

    _, out, _ = run(capsys, "calibrate", str(logs))
    _, counted, _ = run(capsys, "count", str(text), "-m", model, "--json")
    _, fitted, _ = run(capsys, "fit", str(tmp_path / "logs"), "-m", model, "--json")

    assert "Your records confirm it" in out
    found = json.loads(counted)["models"][0]
    assert found["tokens"] == count_claude_tokens(text.read_text(), generation)
    assert found["error"] < 0.005
    assert "corrected by ctok" in found["known_by"]
    assert "corrected by ctok" in json.loads(fitted)["models"][0]["known_by"]


def test_records_that_contradict_the_counter_keep_it_out(capsys, tmp_path):
    pytest.importorskip("ctok", reason="scripts/test-claude-tokens runs this")
    logs = tmp_path / "logs"
    logs.mkdir()
    write_claude_logs(logs, lambda text: count_claude_tokens(text, "4.8"), "claude-opus-4-6")
    text = tmp_path / "a.md"
    text.write_text("Some words. " * 100)

    _, out, _ = run(capsys, "calibrate", str(logs))
    _, counted, _ = run(capsys, "count", str(text), "-m", "claude-opus-4-6", "--json")

    assert "Not used: your provider counts 1." in out
    assert "corrected" not in json.loads(counted)["models"][0]["known_by"]


def test_a_later_run_keeps_the_lines_and_checks_that_it_did_not_make(capsys, logs, tmp_path):
    run(capsys, "calibrate")
    place = next(tmp_path.rglob("calibrations.json"))
    before = place.read_text()
    (tmp_path / "empty").mkdir()

    run(capsys, "calibrate", str(tmp_path / "empty"))

    assert place.read_text() == before
