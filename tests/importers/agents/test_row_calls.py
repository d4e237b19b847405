from pathlib import Path

from modicum.calls import Problem
from modicum.importers.agents.row_calls import row_calls


def test_a_bad_row_is_a_problem_with_its_line_and_the_next_is_read():
    def calls_of(row):
        if row["n"] == 2:
            raise ValueError("n is two")
        yield row["n"]

    rows = [(1, {"n": 1}), (2, {"n": 2}), Problem("f", "cut off", 3), (4, {"n": 4})]

    found = list(row_calls(Path("f"), rows, calls_of))

    assert found == [1, Problem("f", "not counted: n is two", 2), Problem("f", "cut off", 3), 4]
