import json

import pytest

from modicum.cli import main


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


@pytest.fixture
def codebase(tmp_path):
    folder = tmp_path / "app"
    (folder / "src").mkdir(parents=True)
    for number in range(3):
        (folder / f"src/part{number}.py").write_text("x = 1\n" * 100)
    (folder / "README.md").write_text("Words.\n")
    (folder / "logo.png").write_bytes(b"\x89PNG\0")
    return folder


def run(capsys, *args):
    with pytest.raises(SystemExit) as stop:
        main(["fit", *args])
    out, err = capsys.readouterr()
    return stop.value.code, out, err


def test_the_first_lines_answer_the_question(capsys, codebase):
    code, out, _ = run(capsys, str(codebase), "-m", "gpt-4o")

    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith(f"{codebase}: 4 text files, 1,")
    assert "gpt-4o: fits; 1 % of its window of 128,000." in lines[1]
    assert lines[2].startswith("Sending it all to gpt-4o costs $")


def test_the_tables_show_folders_types_and_files_and_what_was_left_out(capsys, codebase):
    _, out, _ = run(capsys, str(codebase), "-m", "gpt-4o", "--rows", "1")

    rows = [line.split() for line in out.splitlines()]
    assert ["src", "3", "1,500", "99.9", "%"] in rows
    assert ["1", "more", "1", "2", "0.1", "%"] in rows
    assert [".py", "3", "1,500", "99.9", "%"] in rows
    assert "Not counted: 1 binary." in out


def test_a_window_that_fills_up_says_after_how_many_calls(capsys, codebase):
    _, out, _ = run(capsys, str(codebase), "-m", "gpt-4o", "--calls", "100", "--appended", "5000")

    assert "(26)" in out
    assert "then the window is full" in out


def test_json_holds_the_whole_report(capsys, codebase):
    _, out, err = run(capsys, str(codebase), "-m", "gpt-4o", "-m", "nobodys-model", "--json")

    report = json.loads(out)
    assert err == ""
    assert report["files"] == 4
    assert report["conversation"] == {"calls": 50, "appended_tokens": 1500, "reply_tokens": 500}
    assert [model["verdict"] for model in report["models"]] == ["fits", "unknown"]
    assert report["models"][1]["one_call_usd"] is None
    assert report["left_out"] == {"binary": 1}


def test_a_folder_without_text_says_what_it_held(capsys, tmp_path):
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\0")

    _, out, _ = run(capsys, str(tmp_path), "-m", "gpt-4o")

    assert out.splitlines() == [
        f"{tmp_path}: no text files (not listed by git: all that no .gitignore names).",
        "Not counted: 1 binary.",
    ]


def test_a_folder_that_is_none_is_one_line(capsys, tmp_path):
    code, _, err = run(capsys, str(tmp_path / "none"))

    assert code == 2
    assert err == f"modicum: {tmp_path / 'none'} does not exist; name a folder\n"
