import msgspec
import pytest

from agents.teams import rows, team
from modicum.agents.graph import TeamGraph
from modicum.agents.recordings import RecordedRow, RecordedRun, build_team, read_rows
from modicum.calls import UserError


def numbered(*found):
    return list(enumerate(found, start=1))


def test_rows_of_a_file_become_runs():
    lines = [
        '{"run":"1","agent":"a","answer":"(B)","prompt_tokens":5,"completion_tokens":2,"model":"m"}',
        "",
        '{"run":"1","agent":"b","round":2,"answer":"b"}',
        '{"run":"1","answer":"B","gold":"b","outcome":1}',
    ]
    found, problems = read_rows(lines, "x.jsonl")
    recorded, more = build_team(found, path="x.jsonl")

    assert problems == more == []
    assert recorded.graph.agents == ("a", "b")
    assert recorded.graph.rounds == 2
    assert recorded.models == {"a": "m"}
    [run] = recorded.runs
    assert [turn.answer for turn in run.turns] == ["b", "b"]
    assert run.turns[0].tokens == 7
    assert run.turns[1].tokens is None


def test_lines_that_are_none_are_told_with_their_number():
    found, problems = read_rows(['{"run":"1","agent":"a"}', "{", '{"agent":"b"}'], "x.jsonl")

    assert len(found) == 1
    assert [problem.line for problem in problems] == [2, 3]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (RecordedRow(run="1", agent="b", prompt_tokens=-1), "negative"),
        (RecordedRow(run="1", agent="b", round=0), "rounds count from 1"),
        (RecordedRow(run="1", agent="b", outcome=7.0), "outcome is 7.0"),
        (RecordedRow(run="1", agent="a", step=0), "recorded twice"),
        (RecordedRow(run="1", agent="b\nc"), r"agent 'b\nc' has a control character"),
    ],
)
def test_bad_rows_are_left_out_and_told(bad, reason):
    recorded, problems = build_team(numbered(RecordedRow(run="1", agent="a", step=0), bad), path="x.jsonl")

    assert len(recorded.runs[0].turns) == 1
    assert reason in problems[0].reason
    assert problems[0].line == 2


def test_contradicting_outcomes_are_told_and_the_first_stands():
    recorded, problems = build_team(
        numbered(RecordedRow(run="1", agent="a", outcome=1.0), RecordedRow(run="1", outcome=0.0)), path="x.jsonl"
    )

    assert recorded.runs[0].outcome == 1.0
    assert "two values of outcome" in problems[0].reason


def test_several_teams_ask_for_a_choice():
    found = numbered(RecordedRow(run="1", team="x", agent="a"), RecordedRow(run="2", team="y", agent="b"))

    with pytest.raises(UserError, match="2 teams"):
        build_team(found, path="x.jsonl")
    assert build_team(found, path="x.jsonl", team="y")[0].graph.agents == ("b",)


@pytest.mark.parametrize("found", [[], [RecordedRow(run="1", outcome=1.0)]])
def test_no_turns_are_an_error(found):
    with pytest.raises(UserError, match="holds no turns"):
        build_team(numbered(*found), path="x.jsonl")


def test_an_agent_that_never_speaks_stays_in_a_given_graph():
    recorded, _ = build_team(
        numbered(RecordedRow(run="1", agent="a")), path="x.jsonl", graph=TeamGraph(["a", "silent"])
    )

    assert recorded.graph.agents == ("a", "silent")


def test_what_an_answer_would_have_been_worth():
    with_gold = RecordedRun("1", "1", (), answer="x", outcome=0.0, gold="y")
    solved, failed = (RecordedRun("1", "1", (), answer="x", outcome=outcome) for outcome in (1.0, 0.0))

    assert (with_gold.worth("y"), with_gold.worth("x")) == (1.0, 0.0)
    assert (solved.worth("x"), solved.worth("y")) == (1.0, 0.0)
    assert failed.worth("x") == 0.0
    assert failed.worth("y") is None
    assert RecordedRun("1", "1", ()).worth("x") is None


def test_rounds_of_unequal_length_are_fine():
    recorded = team(rows("1", {"a": "x", "b": "x"}, {"a": "x"}), rows("2", {"b": "y"}))

    assert [len(run.turns) for run in recorded.runs] == [3, 1]
    assert recorded.graded == ()


def test_a_row_survives_the_way_through_json():
    [row] = rows("1", {"a": "x"})[:1]

    assert msgspec.json.decode(msgspec.json.encode(row), type=RecordedRow) == row


def test_an_outcome_without_the_teams_answer_grades_the_team_and_no_agent():
    rows = [
        (1, RecordedRow(run="1", agent="a", answer="B")),
        (2, RecordedRow(run="1", agent="b")),
        (3, RecordedRow(run="1", outcome=1.0)),
    ]
    team, _ = build_team(rows, path="x")
    [run] = team.runs

    assert run.team_score == 1.0
    assert [run.own_score(turn) for turn in run.turns] == [None, None]
    assert team.graded == (run,)
