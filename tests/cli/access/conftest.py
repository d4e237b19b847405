import pytest

from modicum.cli import main


@pytest.fixture
def run(folder, capsys):
    """Runs a verb as a person types it; says what it printed."""

    def run_verb(*words, status=0):
        with pytest.raises(SystemExit) as stop:
            main(list(words))
        assert (stop.value.code or 0) == status
        printed = capsys.readouterr()
        return printed.err if status else printed.out

    return run_verb
