import msgspec

from experiments.sample_results import result, saver
from modicum.experiments.comparison import compare
from modicum.experiments.comparison_pairs import ComparisonRules
from modicum.experiments.comparison_sentences import points


def sentences(rows, **rules):
    return compare(rows, ComparisonRules(**rules)).pairs[0].sentences


def remarks(rows):
    return compare(rows, ComparisonRules()).remarks


def any_with(lines, *words):
    return [line for line in lines if all(word in line for word in words)]


def test_the_sentence_that_somebody_pays_for():
    lines = sentences(saver(100, ratio=0.7))

    assert any_with(lines, "saver reaches the same outcomes as plain at 30.", "% lower cost")
    assert any_with(lines, "saver reaches the same outcomes as plain with 30.", "% fewer tokens")
    assert any_with(lines, "a loss of more than 5 points is ruled out")


def test_it_is_not_said_where_outcomes_are_not_shown_to_be_the_same():
    lines = sentences(saver(12, ratio=0.7))

    assert not any_with(lines, "same outcomes as")
    assert any_with(lines, "costs 30.", "less than plain, but that it reaches the same outcomes is not shown")
    assert any_with(lines, "all outcomes are equal, so success cannot tell the arms apart", "about 54 tasks show it")


def test_it_is_not_said_where_outcomes_are_worse():
    lines = sentences(saver(200, outcome=lambda arm, task: 1.0 if arm == "plain" else float(task % 2)))

    assert any_with(lines, "saver succeeds less often than plain: -50.0 points")
    assert any_with(lines, "and succeeds less often")
    assert not any_with(lines, "same outcomes as")


def test_it_is_not_said_where_a_loss_within_the_margin_is_certain():
    rows = saver(2000, outcome=lambda arm, task: float(arm == "plain" or task % 50 > 0))

    lines = sentences(rows)

    assert any_with(lines, "succeeds less often", "-2.0 points")
    assert not any_with(lines, "same outcomes as")


def test_the_margin_is_the_owners():
    assert any_with(sentences(saver(12), margin=0.25), "same outcomes as", "fewer tokens")


def test_more_success_with_less_is_said_as_such():
    lines = sentences(saver(100, outcome=lambda arm, task: float(arm == "saver" or task % 2)))

    assert any_with(lines, "saver succeeds more often than plain with 30.", "fewer tokens")
    assert not any_with(lines, "same outcomes as")


def test_tokens_that_a_source_leaves_out_prove_no_saving():
    rows = [msgspec.structs.replace(row, is_lower_bound=row.arm == "saver") for row in saver(100, ratio=0.7)]
    swapped = [msgspec.structs.replace(row, is_lower_bound=row.arm == "plain") for row in saver(100, ratio=0.7)]

    assert not any_with(sentences(rows), "% fewer tokens")
    assert any_with(sentences(rows), "not shown to differ in tokens", "the arm's source leaves tokens out")
    assert any_with(sentences(rows), "same outcomes as plain at", "lower cost")
    assert any_with(sentences(swapped), "% fewer tokens")


def test_a_saver_that_costs_is_named_so():
    assert any_with(sentences(saver(60, ratio=1.3)), "saver costs 29.", "more than plain")


def test_no_difference_comes_with_how_many_tasks_would_show_it():
    rows = [row for task in range(20) for row in (result("a", task), result("b", task, cost=(0.5, 1.9)[task % 2]))]

    assert any_with(sentences(rows), "b: not shown to differ in cost x0.975", "tasks show it")


def test_unpaired_tasks_are_not_compared():
    lines = sentences([result("a", "x"), result("b", "y")])

    (line,) = lines
    assert line == (
        "b and a have no task in common: they cannot be compared, since any difference may be that of their tasks. "
        "Tasks are matched by name; --column task=NAME or --pair names what to match by."
    )
    assert any_with(remarks([result("a", "x"), result("b", "y")]), "No line of best trade-offs")


def test_no_outcomes_say_nothing_about_success():
    lines = sentences(saver(30, outcome=lambda _arm, _task: None))

    assert any_with(lines, "no task has an outcome under both arms, so nothing can be said about success")
    assert not any_with(lines, "same outcomes as")
    assert any_with(remarks(saver(30, outcome=lambda _arm, _task: None)), "plain: 30 of 30 runs have no outcome")


def test_one_task_says_nothing_however_often_it_ran():
    rows = [result(arm, 1, cost=cost) for arm, cost in (("a", 2.0), ("b", 1.0)) for _ in range(100)]

    assert any_with(sentences(rows), "x0.500", "one task (or group) alone has no spread, however often it ran")
    assert any_with(remarks(rows), "Runs of one task count as one observation")


def test_what_is_not_known_of_some_runs_is_named():
    rows = [*saver(20), result("saver", 0, cost=None)]

    assert any_with(remarks(rows), "saver: of 21 runs, what they took is not known for all: cost of 1")


def test_different_tasks_are_pointed_out():
    assert any_with(remarks([*saver(5), result("plain", "x")]), "The arms ran different tasks")


def test_many_arms_are_judged_together():
    rows = saver(12, ratio=0.9)
    rows += [result(f"other{number}", row.task) for number in range(20) for row in rows if row.arm == "plain"]

    comparison = compare(rows, ComparisonRules(margin=0.3))

    assert any_with(comparison.remarks, "21 arms stand beside one baseline")
    assert any_with(comparison.pairs[0].sentences, "Judged together with the other 20 arms")


def test_points_have_a_sign():
    assert (points(0.021), points(-0.5)) == ("+2.1", "-50.0")
