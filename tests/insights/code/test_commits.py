"""Which task a commit counts for."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from modicum.insights.code.commits import MEASURES, Commit, join_commits

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
WINDOW = timedelta(hours=8)
EXAMINED = NOON - timedelta(days=7), NOON + timedelta(days=7)


def commit(key="k1", hours=0.0, branches=("fix",), lines=10):
    return Commit(
        key=key,
        authored_at=NOON + timedelta(hours=hours),
        branches=frozenset(branches),
        lines_added=lines,
        lines_removed=2,
        files_changed=1,
    )


def touch(task, hours, branch="fix"):
    at = NOON + timedelta(hours=hours)
    return {"task": task, "project": "/src/shop", "branch": branch, "first_at": at, "last_at": at}


def joined(commits, touches, branches=("fix", "main"), **fields):
    return join_commits(commits, touches, frozenset(branches), WINDOW, fields.get("examined", EXAMINED))


def reached(result, name="commits"):
    sums = Counter()
    for outcome in result.outcomes:
        if outcome.name == name and outcome.value:
            sums[outcome.task] += outcome.value
    return sums


def test_the_last_task_on_the_branch_before_the_commit_gets_it_in_full():
    result = joined([commit()], [touch("early", -3), touch("late", -1), touch("after", 1)])

    assert reached(result) == {"late": 1}
    assert reached(result, "lines_added") == {"late": 10}
    assert (result.by_branch, result.by_time, result.without_task) == (1, 0, 0)


def test_a_task_that_is_older_than_the_window_gets_nothing():
    result = joined([commit()], [touch("yesterday", -9)])

    assert reached(result) == {}
    assert result.without_task == 1


def test_a_task_on_the_branch_comes_before_a_later_one_whose_branch_is_gone():
    touches = [touch("on it", -5), touch("branch gone", -1, "deleted")]

    assert reached(joined([commit()], touches)) == {"on it": 1}


def test_a_task_whose_branch_is_gone_is_joined_by_time_and_that_is_said():
    result = joined([commit(branches=("main",))], [touch("t", -1, "deleted"), touch("other", -2, "fix")])

    assert reached(result) == {"t": 1}
    assert result.by_time == 1
    assert {o.source for o in result.outcomes if o.value} == {"git: last touch by time alone"}


def test_a_task_on_another_living_branch_gets_nothing():
    assert reached(joined([commit()], [touch("t", -1, "main")])) == {}


def test_a_task_without_a_commit_is_booked_as_zero_once_its_window_is_over():
    result = joined([commit()], [touch("done", -20), touch("still warm", 24 * 7 - 1), touch("kept", -1)])
    nothing = {(o.task, o.name, o.value) for o in result.outcomes if o.task != "kept"}

    assert nothing == {("done", name, 0.0) for name in MEASURES}
    assert result.tasks_without_commit == 2


def test_where_no_commit_is_joined_nothing_is_booked_as_zero():
    assert joined([commit(hours=-30)], [touch("done", -20)]).outcomes == []


def test_a_task_that_began_before_the_time_examined_is_not_booked_as_zero():
    touches = [touch("t", -1), touch("kept", 1)]
    result = joined([commit(hours=2)], touches, examined=(NOON, NOON + timedelta(days=1)))

    assert {o.task for o in result.outcomes} == {"kept"}


def test_a_commit_that_is_joined_anew_keeps_its_identity():
    first = joined([commit()], [touch("a", -1)]).outcomes
    second = joined([commit()], [touch("b", -1)]).outcomes

    assert [o.outcome_id for o in first] == [o.outcome_id for o in second]


hours = st.integers(-30, 30)
branch = st.sampled_from(["fix", "main", "deleted", ""])


@given(
    st.lists(st.tuples(hours, st.sets(st.sampled_from(["fix", "main"]))), max_size=6),
    st.lists(st.tuples(st.sampled_from("abc"), hours, branch), max_size=6),
)
def test_every_commit_counts_once_or_is_told_to_have_no_task(made, worked):
    commits = [commit(f"k{n}", at, held) for n, (at, held) in enumerate(made)]
    result = joined(commits, [touch(task, at, held) for task, at, held in worked])

    assert sum(reached(result).values()) + result.without_task == len(commits)
    assert result.by_branch + result.by_time + result.without_task == len(commits)
    assert len({o.outcome_id for o in result.outcomes}) == len(result.outcomes)
