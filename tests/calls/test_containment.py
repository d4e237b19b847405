import ast
import asyncio
import re
from pathlib import Path

import pytest

from modicum.calls.containment import contain, failure_place, undo_if_failed

SOURCE = Path(__file__).parents[2] / "src/modicum"


def test_what_fails_in_the_block_stays_in_it_and_is_at_hand_behind_it():
    reported = []

    with contain(reported.append) as work:
        raise ValueError("not for others")

    assert reported == [work.error]
    assert isinstance(work.error, ValueError)
    assert re.fullmatch(r"test_containment.py:\d+", failure_place(work.error))


def test_where_nothing_fails_nothing_is_reported():
    reported = []
    with contain(reported.append) as work:
        pass

    assert (work.error, reported) == (None, [])


@pytest.mark.parametrize("error", [KeyError, asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_failure_goes_on_up(error):
    reported = []

    with pytest.raises(error), contain(reported.append, but=(LookupError,)):
        raise error

    assert reported == []


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
def test_what_was_begun_is_undone_whatever_ends_it_and_only_then(error):
    undone = []

    with undo_if_failed(lambda: undone.append("well")):
        pass
    with pytest.raises(error), undo_if_failed(lambda: undone.append("failed")):
        raise error

    assert undone == ["failed"]


def test_an_error_that_was_never_raised_has_no_place():
    assert failure_place(ValueError()) == ""


GO_ON_UP = {
    "gateway/pipeline.py": "the end of a call is awaited, and the error goes on up",
    "library/resources.py": "a disk's fault is told in our words, all else goes on up",
}
"""Files that catch everything and stop nothing."""


def catches_everything(node):
    if isinstance(node, ast.ExceptHandler):
        names = [node.type] if not isinstance(node.type, ast.Tuple) else node.type.elts
        return any(one is None or ast.unparse(one) in {"Exception", "BaseException"} for one in names)
    is_suppress = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress")
    return is_suppress and any(ast.unparse(one) in {"Exception", "BaseException"} for one in node.args)


def test_everything_is_caught_in_one_place():
    found = {
        str(file.relative_to(SOURCE)): sum(map(catches_everything, ast.walk(ast.parse(file.read_text("utf-8")))))
        for file in SOURCE.rglob("*.py")
    }

    assert {name: count for name, count in found.items() if count} == dict.fromkeys(GO_ON_UP, 1)
