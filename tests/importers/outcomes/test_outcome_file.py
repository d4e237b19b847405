"""Outcome files: good rows become outcomes, every other one a problem with its line."""

import gzip
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Outcome, Problem
from modicum.importers.outcomes.outcome_file import read_outcomes

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
CSV = """task,name,value,time
T1,resolved,1,2026-02-03T12:00:00Z
"it's ""quoted"", so",agent_lines,12.5,2026-02-03T13:00:00+01:00
"""


def read(tmp_path, content, name="outcomes.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = list(read_outcomes(path))
    return [f for f in found if isinstance(f, Outcome)], [(f.line, f.reason) for f in found if isinstance(f, Problem)]


def test_csv_with_a_header(tmp_path):
    outcomes, problems = read(tmp_path, CSV)

    assert [(o.task, o.name, o.value, o.time) for o in outcomes] == [
        ("T1", "resolved", 1.0, NOON),
        ('it\'s "quoted", so', "agent_lines", 12.5, NOON),
    ]
    assert problems == []


def test_columns_may_stand_in_any_order_with_an_identity_of_their_own(tmp_path):
    outcomes, _ = read(tmp_path, "\ufeffTime,ID,value,source,name,task\n2026-02-03T12:00:00,x1,true,ci,passed,T\n")

    assert outcomes == [Outcome(outcome_id="x1", task="T", name="passed", value=1.0, time=NOON, source="ci")]


def test_json_lines(tmp_path):
    row = b'{"task":"T1","name":"resolved","value":false,"time":"2026-02-03T12:00:00Z","more":[1]}\n'
    outcomes, problems = read(tmp_path, gzip.compress(row + b"\n" + row), "o.jsonl.gz")

    assert [(o.task, o.value) for o in outcomes] == [("T1", 0.0)] * 2
    assert len({o.outcome_id for o in outcomes}) == 1
    assert problems == []


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (",resolved,1,2026-02-03", "task is missing"),
        ("T,,1,2026-02-03", "name is missing"),
        ("T,n,many,2026-02-03", "value is no number"),
        ("T,n,-1,2026-02-03", "value is negative or not finite"),
        ("T,n,nan,2026-02-03", "value is negative or not finite"),
        ("T,n,1,yesterday", "time is missing or no time"),
        ("T,n,1,0001-01-01T00:00:00+12:00", "time is not between 1970 and 2200"),
        ("T,n,1,1492-10-12", "time is not between 1970 and 2200"),
        ("T,n,1", "3 cells where the header has 4"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_the_others_stand(tmp_path, cells, reason):
    outcomes, problems = read(tmp_path, CSV + cells + "\nT9,resolved,0,2026-02-03\n")

    assert len(outcomes) == 3
    assert [(line, reason in told) for line, told in problems] == [(4, True)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b'[{"task":"T"}]', "JSON array where lines are expected"),
        (b"task,value\nT,1\n", "the header lacks name, time"),
        (b'{"task":"T"}\n', "not an outcome: name is missing"),
        (b'{"task":\n', "no JSON object"),
        (b'{"task":"T","name":"n","value":"1' + b"0" * 400 + b'","time":"2026-02-03"}', "not finite"),
        (b'{"task":"T","name":"n","value":null,"time":"2026-02-03"}', "value is no number"),
        (b'{"task":"\xff"}\n', "no UTF-8"),
        (b"task,name,value,time\n\xff,n,1,2026-02-03\n", "no UTF-8"),
        (b'task,name,value,time\n"T,n,1,2026-02-03\nT,n,1,2026-02-03\n', "no CSV row"),
        (b"task,name,value,time\n" + b"x" * 200_000 + b"\n", ""),  # a cell too long, or too few of them
        (gzip.compress(CSV.encode(), mtime=0)[:-8], "cut off"),
    ],
)
def test_a_file_that_is_no_list_of_outcomes_is_a_problem(tmp_path, content, reason):
    _, problems = read(tmp_path, content, "o.csv.gz" if content[:2] == b"\x1f\x8b" else "o.csv")

    assert len(problems) == 1
    assert reason in problems[0][1]


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path):
    (found,) = read_outcomes(tmp_path / "none.csv")

    assert isinstance(found, Problem)


@given(st.binary(max_size=200), st.integers(0, len(CSV)))
def test_no_bytes_make_it_raise(tmp_path_factory, noise, place):
    path = tmp_path_factory.mktemp("noise") / "o.csv"
    path.write_bytes(CSV.encode()[:place] + noise + CSV.encode()[place:])

    assert all(isinstance(found, Outcome | Problem) for found in read_outcomes(path))


def test_an_id_that_the_gateway_gave_is_not_overwritten_by_a_file(tmp_path):
    path = tmp_path / "told.csv"
    path.write_text(
        "task,name,value,time,id\n"
        "PR-1,merged,0,2026-01-31T12:00:00Z,gateway:0123456789ab:7\n"
        "PR-2,merged,1,2026-01-31T12:00:00Z,mine\n"
    )

    problem, outcome = read_outcomes(path)

    assert "begins with 'gateway:'" in str(problem)
    assert (problem.line, outcome.outcome_id) == (2, "mine")


def test_counters_of_claude_code_in_a_collectors_file_are_outcomes(tmp_path):
    def metric(name, value, second, *about):
        attributes = [{"key": key, "value": {"stringValue": text}} for key, text in about]
        point = {"asDouble": value, "timeUnixNano": f"17724528{second:02d}000000000", "attributes": attributes}
        return {"name": name, "sum": {"aggregationTemporality": 1, "dataPoints": [point]}}

    session = ("session.id", "ses-1")
    metrics = [
        metric("claude_code.session.count", 1, 1, session),
        metric("claude_code.commit.count", 2, 2, session),
        metric("claude_code.lines_of_code.count", 30, 3, session, ("type", "removed")),
        metric("claude_code.cost.usage", 0.5, 4, session),
        metric("claude_code.pull_request.count", 1, 5),
    ]
    path = tmp_path / "otlp.jsonl"
    path.write_text(
        json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]})
        + '\n{"resourceLogs": [{"scopeLogs": []}]}\n'
    )

    found = list(read_outcomes(path))

    assert [(one.task, one.name, one.value) for one in found if isinstance(one, Outcome)] == [
        ("ses-1", "agent_commits", 0),
        ("ses-1", "agent_pull_requests", 0),
        ("ses-1", "agent_commits", 2),
        ("ses-1", "agent_lines_removed", 30),
    ]
    reason = "claude_code.pull_request.count without session.id; set OTEL_METRICS_INCLUDE_SESSION_ID=true"
    assert [str(one) for one in found if isinstance(one, Problem)] == [f"{path}:1: not an outcome: {reason}"]
