import pytest

from agents.teams import rows, team
from modicum.agents.attribution import attribute, leave_one_out
from modicum.agents.graph import TeamGraph
from modicum.agents.recordings import ReadMessage, RecordedRow, build_team


def test_shares_of_calls_and_tokens_are_exact():
    recorded = team(rows("1", {"a": "x", "b": "x"}), rows("2", {"a": "x"}))

    report = attribute(recorded)

    assert report.tokens == 60
    assert report.agent("a").token_share == pytest.approx(2 / 3)
    assert report.agent("b").calls_share == pytest.approx(1 / 3)


def test_redundancy_is_what_another_had_said_before():
    report = attribute(team(rows("1", {"a": "x", "b": "x"}, {"a": "x", "b": "y"})))

    assert report.agent("a").repeats_share == 0
    assert report.agent("b").repeats_share == 0.5
    assert report.agent("a").unchanged_share == 1.0
    assert report.agent("b").unchanged_share == 0.0


def test_own_answers_are_graded_against_gold():
    report = attribute(team(*(rows(str(n), {"a": "x", "b": "y"}, answer="x", gold="x") for n in range(10))))

    assert report.agent("a").own_score.value == 1
    assert report.agent("b").own_score.value == 0
    assert report.agent("b").own_score.high < 0.35


def test_leaving_one_out_is_a_new_vote():
    runs = [rows(str(n), {"a": "y", "b": "y", "c": "x"}, answer="y", gold="x") for n in range(3)]

    recorded = team(*runs)

    assert leave_one_out(recorded, "c").value == 0
    assert (
        leave_one_out(team(rows("1", {"a": "y", "b": "y", "c": "x", "d": "x", "e": "x"}, gold="y")), "d").value == 0.5
    )


def test_a_tied_vote_counts_as_if_broken_by_lot():
    """Two against two: half right with everybody, right or wrong for certain without one of them."""
    runs = [rows(str(n), {"a": "y", "b": "y", "c": "x", "d": "x"}, answer="y", gold="x") for n in range(3)]

    assert leave_one_out(team(*runs), "a").value == 0.5
    assert leave_one_out(team(*runs), "d").value == -0.5


def test_who_spoke_first_does_not_decide_a_tie():
    orders = (("a", "b", "c"), ("c", "a", "b"), ("b", "c", "a"))
    said = {"a": "x", "b": "y", "c": "z"}
    found = [leave_one_out(team(rows("1", {name: said[name] for name in order}, gold="x")), "b") for order in orders]

    assert len(set(found)) == 1
    assert found[0].value == pytest.approx(1 / 2 - 1 / 3)


def test_an_edge_has_the_tokens_that_were_read_and_where_they_led():
    graph = TeamGraph(["a", "b"], 2)
    lines = [
        RecordedRow(run="1", agent="a", round=1, answer="x", prompt_tokens=5, completion_tokens=7),
        RecordedRow(run="1", agent="b", round=1, answer="y", prompt_tokens=5, completion_tokens=3, reads=()),
        RecordedRow(
            run="1",
            agent="b",
            round=2,
            answer="x",
            prompt_tokens=9,
            completion_tokens=1,
            reads=(ReadMessage("a", 1, 6),),
        ),
        RecordedRow(run="1", answer="x", gold="x"),
    ]
    report = attribute(build_team(list(enumerate(lines)), path="x", graph=graph)[0])

    [edge] = report.edges
    assert (edge.source, edge.reader, edge.kind) == ("a", "b", "temporal")
    assert (edge.tokens, edge.tokens_basis) == (6, "exact")
    assert (edge.moved_right, edge.moved_wrong) == (1, 0)


def test_without_a_record_of_reads_the_graph_and_the_words_estimate_them():
    report = attribute(team(rows("1", {"a": "x", "b": "x"})))

    [edge] = report.edges
    assert (edge.source, edge.reader, edge.tokens, edge.tokens_basis) == ("a", "b", 10, "estimated")


def test_a_natural_experiment_compares_runs_of_one_task():
    def run(name, agents, right):
        found = rows(name, dict.fromkeys(agents, "x"), answer="x", outcome=float(right))
        return [
            RecordedRow(**{f: getattr(row, f) for f in RecordedRow.__struct_fields__} | {"task": name[0]})
            for row in found
        ]

    report = attribute(team(run("1a", "ab", right=True), run("1b", "a", right=False), run("2a", "ab", right=True)))

    by_name = {one.agent: one for one in report.natural}
    assert by_name["b"].runs_without == 1
    assert by_name["b"].tasks_compared == 1
    assert by_name["b"].change.value == -1
    assert by_name["a"].change is None


@pytest.mark.parametrize(
    ("runs", "limit"),
    [
        ([rows("1", {"a": "x"})], "no run has an outcome"),
        ([rows("1", {"a": "x"}), rows("2", {"a": "x"}, outcome=1.0)], "1 of 2 runs"),
        (
            [rows(str(n), {"a": "x"}, answer="x", outcome=1.0) for n in range(3)],
            "every graded run had the same outcome",
        ),
        ([rows("1", {"a": "x", "b": "x"}, answer="z", outcome=1.0)], "something else decides"),
        ([rows("1", {"a": "x"}, tokens=None)], "without token counts"),
        ([rows("1", {"a": "x", "plans": None}, answer="x", gold="x")], "how good plans was"),
        ([rows("1", {"a": "x"}) + rows("1", {"a": "x"})[:1]], "in rounds with two turns of a"),
        ([rows("1", {"a": "x", "b": "x"}, reads=(ReadMessage("b", 1),))], "a in round 1 had read b of round 1"),
    ],
)
def test_it_says_what_the_record_cannot_tell(runs, limit):
    assert any(limit in line for line in attribute(team(*runs)).cannot_tell)


def test_an_agent_that_never_speaks_has_an_empty_row():
    report = attribute(team(rows("1", {"a": "x"}), graph=TeamGraph(["a", "silent"])))

    assert report.agent("silent").turns_count == 0
    assert report.agent("silent").own_score is None


def test_of_an_agent_that_never_answers_nothing_is_known():
    report = attribute(team(*(rows(str(n), {"a": "x", "plans": None}, answer="x", gold="x") for n in range(5))))

    assert report.agent("plans").own_score is None
    sometimes = team(rows("1", {"a": "x", "b": None}, gold="x"), rows("2", {"a": "x", "b": "x"}, gold="x"))
    assert attribute(sometimes).agent("b").own_score.value == 0.5
