"""Every command of README and docs is one that the command line takes; `scripts/test-docs` runs them."""

import shlex
from pathlib import Path

import click

from docs_commands import NOT_RUN, commands_in, printed
from modicum.cli import modicum as command

ENDS = {"&&", "|", ";", "&"}
REDIRECTS = {">", ">>", "<"}


def own_words(command):
    """The words behind each `modicum` of a line of the shell."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    parts, is_file = [[]], False
    for word in lexer:
        if word in ENDS:
            parts.append([])
        elif is_file or word in REDIRECTS:
            is_file = word in REDIRECTS
        else:
            parts[-1].append(word)
    return [part[1:] for part in parts if part and part[0] in {"modicum", "scripts/run"}]


def test_every_printed_command_is_one_that_the_command_line_takes(monkeypatch):
    monkeypatch.setattr(click.Command, "invoke", lambda *_: None)  # words are parsed and checked, nothing runs
    monkeypatch.setattr(click.Path, "convert", lambda _self, value, *_: Path(value))  # files are the reader's own
    faults = []

    for one in printed():
        for words in own_words(one.command):
            try:
                command.main(words, "modicum", standalone_mode=False)
            except click.UsageError as error:
                faults.append(f"{one.page}: {one.command}: {error.format_message()}")

    assert faults == []


def test_what_is_not_run_is_printed_somewhere():
    commands = {one.command for one in printed()}

    assert [command for command in NOT_RUN if command not in commands] == []
    assert [one.command for one in printed() if len(own_words(one.command)) == 0] == []


def test_commands_are_taken_from_blocks_as_a_reader_would():
    block = "$ modicum bill logs \\\n    --by day   # a comment\nmodel  calls\n$ git fetch\n"

    assert commands_in(block) == ["modicum bill logs --by day"]
    assert own_words("modicum import a.jsonl && modicum export focus > rows.csv") == [
        ["import", "a.jsonl"],
        ["export", "focus"],
    ]
