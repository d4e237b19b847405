from agents.teams import rows, team
from modicum.agents.early_exit import compute_exit_curve


def test_the_curve_goes_from_careful_to_bold():
    runs = [rows(str(n), {"a": "x", "b": "x", "c": "x"}, {"a": "x"}, answer="x", gold="x") for n in range(300)]
    found = compute_exit_curve(team(*runs))

    assert [one.agree for one in found.points] == [3, 2]
    assert [one.calls_saved_share for one in found.points] == [0.25, 0.5]
    assert found.recommended == found.points[1]
    assert found.recommended.change_low >= -0.02


def test_few_runs_recommend_nothing():
    found = compute_exit_curve(
        team(*(rows(str(n), {"a": "x", "b": "x"}, {"a": "x"}, answer="x", gold="x") for n in range(5)))
    )

    assert found.points
    assert found.recommended is None


def test_without_outcomes_there_is_no_curve():
    assert compute_exit_curve(team(rows("1", {"a": "x", "b": "x"}))).points == ()


def test_answers_that_nobody_can_grade_are_left_out_and_counted():
    """Of half of the runs the outcome is known, and not which answer it was for."""

    def run(number):
        known = {"answer": "x", "gold": "x"} if number % 2 else {"outcome": 1.0}
        return rows(str(number), {"a": "x", "b": "x", "c": "x"}, **known)

    found = compute_exit_curve(team(*(run(number) for number in range(100))))
    nothing = compute_exit_curve(team(*(run(number) for number in range(0, 100, 2))))

    assert [one.ungraded_count for one in found.points] == [0, 50]
    assert found.points[1].score == 1.0
    assert found.points[1].change == 0.0
    assert found.points[1].worst_low < -0.4
    assert found.recommended is None
    assert (nothing.points[1].score, nothing.points[1].change, nothing.points[1].ungraded_count) == (None, None, 50)


def test_all_rules_are_about_the_same_runs():
    """Where three of three agree the record can grade the answer, where two of three do only in half of the runs."""

    def run(number):
        known = {"answer": "x", "gold": "x"} if number % 2 else {"outcome": 1.0}
        return rows(str(number), {"a": "x", "b": "x", "c": "x"}, {"a": "x"}, **known)

    found = compute_exit_curve(team(*(run(number) for number in range(100))))
    alone = compute_exit_curve(team(*(run(number) for number in range(1, 100, 2))))

    assert (found.runs_count, found.left_out_count, found.score_full) == (50, 50, 1.0)
    pairs = list(zip(found.points, alone.points, strict=True))
    assert [(one.score, one.change, one.saved_share) for one, _ in pairs] == [
        (other.score, other.change, other.saved_share) for _, other in pairs
    ]
