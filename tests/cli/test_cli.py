import subprocess
import sys

import pytest

from modicum.cli import VERBS, main


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
