import click
import pytest

from modicum.calls import Problem, UserError
from modicum.cli.inputs.log_reading import SHOWN_PROBLEMS, print_problems, read_logs, show_steps
from modicum.importers.format import Reading
from modicum.library.paths import check_paths_exist


def test_calls_come_and_problems_are_collected(transcripts):
    (transcripts / "broken.jsonl").write_text('{"type": "assistant", "message": \n')
    problems = []

    calls = list(read_logs([transcripts], Reading(), None, problems))

    assert calls
    assert [problem.path for problem in problems] == [str(transcripts / "broken.jsonl")]


def test_a_path_that_does_not_exist_is_a_mistyped_command(tmp_path):
    with pytest.raises(UserError, match="there is no file or folder"):
        check_paths_exist([tmp_path / "x"])
    with pytest.raises(UserError, match="there is no file or folder"):
        list(read_logs([tmp_path / "x"], Reading(), None, []))


def test_a_format_that_does_not_exist_is_refused(transcripts):
    with pytest.raises(UserError, match="no-such-format"):
        list(read_logs([transcripts], Reading(), "no-such-format", []))


def test_a_few_problems_are_shown_and_strict_ends_with_a_status(capsys):
    problems = [Problem("a.jsonl", "no JSON", number) for number in range(1, SHOWN_PROBLEMS + 3)]

    print_problems(problems, strict=False)
    shown = capsys.readouterr().err
    assert f"{len(problems)} problems in the logs" in shown
    assert "... and 2 more; --json lists them all" in shown

    print_problems(problems, strict=False, quiet=True)
    print_problems([], strict=True)
    assert capsys.readouterr().err == ""
    with pytest.raises(click.exceptions.Exit) as stop:
        print_problems(problems, strict=True, quiet=True)
    assert stop.value.exit_code == 1


def test_steps_say_nothing_in_a_pipe(capsys):
    with show_steps("audit") as on_step:
        on_step("findings")

    assert capsys.readouterr().err == ""


def test_what_is_wrong_with_many_files_is_one_line(capsys):
    unknown = [Problem(f"{number}.json", "no known log format") for number in range(40)]

    print_problems([*unknown, Problem("a.jsonl", "no JSON object on this line", 3)], strict=False)

    shown = capsys.readouterr().err.splitlines()
    assert shown[1:] == [
        "41 problems in the logs:",
        "  0.json and 39 more: no known log format",
        "  a.jsonl:3: no JSON object on this line",
    ]
