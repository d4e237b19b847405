import json

import pytest

from modicum.calls import Outcome, Problem
from modicum.importers.outcomes.outcome_file import read_outcomes

LANGFUSE = {
    "id": "s1",
    "traceId": "tr",
    "sessionId": None,
    "name": "helpful",
    "value": 0.5,
    "dataType": "NUMERIC",
    "timestamp": "2026-03-02T12:00:00Z",
}
LANGSMITH = {
    "id": "f1",
    "run_id": "r",
    "trace_id": "tr",
    "key": "correct",
    "score": True,
    "created_at": "2026-03-02T12:00:00+00:00",
}


def read(tmp_path, text):
    path = tmp_path / "scores.json"
    path.write_text(text)
    return list(read_outcomes(path))


@pytest.mark.parametrize("shape", ["document", "array", "lines"])
@pytest.mark.parametrize(("row", "name", "value"), [(LANGFUSE, "helpful", 0.5), (LANGSMITH, "correct", 1.0)])
def test_scores_are_outcomes_in_every_shape(tmp_path, shape, row, name, value):
    text = {
        "document": json.dumps({"data": [row], "meta": {"page": 1}}, indent=1),
        "array": json.dumps([row]),
        "lines": json.dumps(row) + "\n",
    }[shape]
    (outcome,) = read(tmp_path, text)

    assert isinstance(outcome, Outcome)
    assert (outcome.task, outcome.name, outcome.value) == ("tr", name, value)


def test_a_session_is_the_task_and_a_word_is_a_value(tmp_path):
    row = LANGFUSE | {"sessionId": "ses", "value": None, "stringValue": "Passed", "dataType": "CATEGORICAL"}
    (outcome,) = read(tmp_path, json.dumps(row))

    assert (outcome.task, outcome.value, outcome.outcome_id) == ("ses", 1.0, "langfuse:s1")


V3 = {name: value for name, value in LANGFUSE.items() if name not in {"traceId", "sessionId"}} | {"projectId": "p"}


@pytest.mark.parametrize(
    ("row", "task", "value"),
    [
        (LANGFUSE | {"trace": {"sessionId": "ses", "userId": None}}, "ses", 0.5),
        (LANGFUSE | {"value": 0, "stringValue": "pass", "dataType": "CATEGORICAL"}, "tr", 1.0),
        (LANGFUSE | {"value": 3, "stringValue": "deep", "dataType": "CATEGORICAL", "configId": "c"}, "tr", 3.0),
        (LANGFUSE | {"value": 0, "stringValue": "False", "dataType": "BOOLEAN"}, "tr", 0.0),
        (V3 | {"subject": {"kind": "trace", "id": "t3"}}, "t3", 0.5),
        (V3 | {"subject": {"kind": "session", "id": "s3"}, "value": True, "dataType": "BOOLEAN"}, "s3", 1.0),
        (V3 | {"subject": {"kind": "observation", "id": "o", "traceId": "t3"}}, "t3", 0.5),
        (V3 | {"subject": {"kind": "trace", "id": "t3"}, "value": "fail", "dataType": "CATEGORICAL"}, "t3", 0.0),
        (LANGSMITH | {"trace_id": None, "session_id": "project"}, "r", 1.0),
        (LANGSMITH | {"score": None, "value": False}, "tr", 0.0),
    ],
)
def test_the_forms_of_both_apis_give_task_and_value(tmp_path, row, task, value):
    (outcome,) = read(tmp_path, json.dumps({"data": [row], "meta": {"limit": 50}}))

    assert isinstance(outcome, Outcome)
    assert (outcome.task, outcome.value) == (task, value)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (LANGFUSE | {"value": "blue"}, "a category or a comment"),
        (LANGFUSE | {"value": -1}, "negative"),
        (LANGFUSE | {"value": 0, "stringValue": "blue", "dataType": "CATEGORICAL"}, "a category or a comment"),
        (LANGFUSE | {"value": 0, "dataType": "CORRECTION"}, "a category or a comment"),
        (LANGFUSE | {"value": "True", "dataType": "TEXT"}, "a category or a comment"),
        (V3, "fields=subject"),
        (V3 | {"subject": {"kind": "experiment", "id": "e"}}, "names no trace"),
        (LANGSMITH | {"error": True}, "evaluator ended in an error"),
        (LANGFUSE | {"traceId": ""}, "names no trace"),
        (LANGFUSE | {"timestamp": None}, "has no time"),
        (LANGSMITH | {"score": None}, "a category or a comment"),
        (LANGSMITH | {"id": ""}, "has no id"),
    ],
)
def test_what_is_no_outcome_is_named_and_the_rest_goes_on(tmp_path, row, why):
    problem, outcome = read(tmp_path, json.dumps(row) + "\n" + json.dumps(LANGSMITH) + "\n")

    assert isinstance(problem, Problem)
    assert why in problem.reason
    assert isinstance(outcome, Outcome)
