"""Runs the command line as a user does, in this process."""

import json

import pytest

from modicum.cli import main


def run(capsys, *args):
    """Exit status, standard output, standard error."""
    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in args])
    out, err = capsys.readouterr()
    return stop.value.code, out, err


def run_json(capsys, *args):
    code, out, err = run(capsys, *args, "--json")
    assert out, err
    return code, json.loads(out)
