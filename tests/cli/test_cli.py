import subprocess
import sys
from pathlib import Path

import click
import pytest

from modicum.cli import VERBS, main, modicum

SAMPLE = Path(__file__).parents[2] / "src/modicum/sample/logs"


def run(capsys, *args):
    with pytest.raises(SystemExit) as stop:
        main(list(args))
    out, err = capsys.readouterr()
    return stop.value.code, out, err


def test_help_names_every_verb_with_its_line(capsys):
    code, out, _ = run(capsys, "--help")

    assert code == 0
    assert all(verb in out and text.split()[0] in out for verb, text in VERBS.items())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb, capsys):
    code, out, _ = run(capsys, verb, "--help")

    assert code == 0
    assert f"modicum {verb}" in out


def leaves(command, words):
    if not isinstance(command, click.Group):
        return [(words, command)]
    with click.Context(command) as context:
        return [
            leaf
            for name in command.list_commands(context)
            for leaf in leaves(command.get_command(context, name), (*words, name))
        ]


@pytest.mark.parametrize("words", [words for words, _ in leaves(modicum, ())], ids=" ".join)
def test_every_command_has_examples_of_itself(words, capsys):
    _, out, _ = run(capsys, *words, "--help")

    assert f"modicum {' '.join(words)}" in out.partition("Examples:")[2]


def test_a_reader_that_goes_away_is_no_error():
    script = f"{sys.executable} -m modicum plan models | head -1; exit ${{PIPESTATUS[0]}}"

    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("verb", ["bill", "anatomy", "exposure"])
def test_logs_without_a_call_of_that_time_are_told(verb, capsys):
    code, out, _ = run(capsys, verb, str(SAMPLE), "--since", "1d")

    assert (code, out) == (0, "no calls in that time; name other logs, or another time\n")


@pytest.mark.parametrize("verb", ["audit", "bill", "anatomy", "exposure", "import", "watch", "calibrate"])
def test_logs_that_are_not_there_are_told_alike(verb, capsys):
    code, _, err = run(capsys, verb, "none")

    assert (code, err) == (2, "modicum: there is no file or folder none\n")


@pytest.mark.parametrize("words", [("bill",), ("outcome", "list"), ("cache", "status"), ("import", str(SAMPLE))])
def test_a_data_folder_that_cannot_be_made_says_which_other_could_be(words, capsys, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file" / "data"))
    code, out, err = run(capsys, *words)

    assert (code, out) == (2, "")
    assert str(tmp_path / "file") in err
    assert "Not a directory; modicum keeps its files there: make it writable, or set XDG_DATA_HOME to another" in err


def test_an_unknown_verb_is_told_the_nearest(capsys):
    code, _, err = run(capsys, "bil")

    assert code == 2
    assert "Did you mean 'bill'?" in err


def test_help_imports_nothing_heavy():
    heavy = ("duckdb", "numpy", "rich.table", "genai_prices", "pydantic", "quicktok")
    script = (
        "import sys\nfrom modicum.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )

    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert shown.splitlines()[-1] == "[]"


def test_in_a_home_that_cannot_be_written_logs_are_read_and_the_rest_says_what_to_set(
    modicum, transcripts, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("")
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "file"))

    assert [modicum(verb, transcripts).status for verb in ("bill", "audit", "anatomy", "blocks")] == [0, 0, 0, 0]
    for words in (["import", transcripts], ["key", "create", "a"], ["key", "list"], ["up"]):
        refused = modicum(*words)
        assert (refused.status, refused.err.count("\n")) == (2, 1), words
        assert "make it writable, or set XDG_DATA_HOME to another folder" in refused.err, words
