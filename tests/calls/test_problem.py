from modicum.calls import Problem
from modicum.calls.problem import problem_rows


def test_a_problem_says_its_place():
    assert str(Problem("a.jsonl", "no JSON", 3)) == "a.jsonl:3: no JSON"
    assert str(Problem("a.jsonl", "no JSON")) == "a.jsonl: no JSON"


def test_problems_as_json_lists_them():
    assert problem_rows([Problem("a", "b", 1), Problem("c", "d")]) == [
        {"path": "a", "line": 1, "reason": "b"},
        {"path": "c", "line": None, "reason": "d"},
    ]
