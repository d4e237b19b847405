"""How pull requests are judged and joined, without git and without files."""

from datetime import UTC, datetime, timedelta

import pytest

from modicum.insights.code.pull_requests import (
    BaseHistory,
    Checks,
    PullRequest,
    PullVerdict,
    Revert,
    Work,
    join_pulls,
    judge_pull,
    vacated,
)

MERGED = datetime(2026, 2, 3, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def pull(number=1, head="fix", **fields):
    fields = {"merged_at": MERGED, "merge_commit": f"m{number}", "checks": Checks.GREEN} | fields
    return PullRequest(repository="ada/shop", number=number, head=head, base="main", **fields)


def judged(one, reverts=(), now=MERGED + 30 * DAY, commits=("m1",), until=MERGED + 30 * DAY, **fields):
    chain = dict.fromkeys(commits, MERGED)
    history = BaseHistory(reverts=reverts, chains=[chain], known_until=until)
    return judge_pull(one, reverts, history, now, 14, unchecked=fields.get("unchecked", False))


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, "kept"),
        ({"checks": Checks.RED}, "red"),
        ({"checks": Checks.UNFINISHED}, "unchecked"),
        ({"checks": Checks.NONE}, "unchecked"),
        ({"checks": Checks.UNKNOWN}, "unchecked"),
        ({"merged_at": None, "closed_at": MERGED}, "closed"),
        ({"merged_at": None}, "open"),
        ({"merged_at": MERGED + 20 * DAY}, "young"),
        ({"merged_at": None, "closed_at": MERGED + 20 * DAY}, "young"),
        ({"merge_commit": "elsewhere"}, "unfetched"),
    ],
)
def test_what_came_of_it(fields, verdict):
    assert judged(pull(**fields)) == verdict


def test_one_without_checks_counts_where_the_user_says_so():
    assert judged(pull(checks=Checks.NONE), unchecked=True) == "kept"
    assert judged(pull(checks=Checks.UNFINISHED), unchecked=True) == "unchecked"


def test_a_clone_that_was_not_fetched_since_says_nothing():
    assert judged(pull(), until=MERGED + 13 * DAY) == "unfetched"


@pytest.mark.parametrize(
    ("revert", "verdict"),
    [
        ({"commits": frozenset({"m1"})}, "reverted"),
        ({"numbers": frozenset({1})}, "reverted"),
        ({"numbers": frozenset({11})}, "kept"),
        ({"commits": frozenset({"m1"}), "landed_at": MERGED + 15 * DAY}, "kept"),
        ({"commits": frozenset({"m1"}), "landed_at": MERGED - DAY}, "kept"),
    ],
)
def test_reverts_count_within_their_days(revert, verdict):
    assert judged(pull(), [Revert(**({"landed_at": MERGED + DAY} | revert))]) == verdict


def test_a_commit_that_was_rebased_is_one_of_its_own():
    hours = [MERGED - timedelta(hours=h) for h in range(4)]
    chain = {"m1": hours[1], "r1": hours[2], "other": hours[3]}
    history = BaseHistory(reverts=[], chains=[{"later": hours[0]} | chain], known_until=MERGED + 30 * DAY)
    one = pull(commits=frozenset({"a", "b"}), authored=frozenset(hours[1:3]))

    assert history.own_commits(one) == {"a", "b", "m1", "r1"}


def touch(task, branch="fix", hours=-1.0):
    at = MERGED + timedelta(hours=hours)
    return {"task": task, "branch": branch, "first_at": at, "last_at": at, "project": "/shop"}


def joined(verdicts, touches=(), named=None):
    return join_pulls(verdicts, Work(touches=touches, named=named or {}), "shop")


def test_tasks_of_its_branch_share_it_and_later_ones_have_no_part():
    found = joined([(pull(), PullVerdict.KEPT)], [touch("a"), touch("b"), touch("late", hours=1), touch("c", "other")])

    assert [(o.outcome_id, o.task, o.value) for o in found.outcomes] == [
        ("pull_request/ada/shop#1/0", "a", 0.5),
        ("pull_request/ada/shop#1/1", "b", 0.5),
    ]
    assert (found.by_branch, found.tasks, found.tasks_without, found.without_task) == (1, 2, 2, [])
    assert {o.time for o in found.outcomes} == {MERGED}


def test_a_branch_that_is_used_again_belongs_to_the_next_one():
    second = pull(2, merged_at=MERGED + DAY)
    found = joined([(second, PullVerdict.RED), (pull(), PullVerdict.KEPT)], [touch("a"), touch("b", hours=2)])

    assert {(o.task, o.value) for o in found.outcomes} == {("a", 1.0), ("b", 0.0)}


def test_who_names_it_belongs_to_it_and_to_no_branch():
    found = joined([(pull(), PullVerdict.KEPT), (pull(2, "b"), PullVerdict.KEPT)], [touch("a")], {2: frozenset({"a"})})

    assert [(o.task, o.outcome_id) for o in found.outcomes] == [
        ("pull_request/ada/shop#1", "pull_request/ada/shop#1/0"),
        ("a", "pull_request/ada/shop#2/0"),
    ]
    assert (found.named, found.by_branch, found.without_task) == (1, 0, [1])


def test_a_fork_is_not_joined_by_the_name_of_its_branch():
    assert joined([(pull(is_fork=True), PullVerdict.KEPT)], [touch("a")]).without_task == [1]


def test_what_is_not_decided_is_no_outcome_but_its_tasks_have_one():
    found = joined([(pull(), PullVerdict.YOUNG)], [touch("a")])

    assert (found.outcomes, found.tasks_without, found.verdicts) == ([], 0, {"young": 1})


def test_a_share_that_nobody_has_any_more_is_set_to_nothing():
    before = joined([(pull(), PullVerdict.KEPT)], [touch("a"), touch("b")]).outcomes
    now = joined([(pull(), PullVerdict.KEPT)], [touch("b")]).outcomes

    (gone,) = vacated([*before, *joined([(pull(9), PullVerdict.KEPT)]).outcomes], now)

    assert (gone.outcome_id, gone.task, gone.value) == ("pull_request/ada/shop#1/1", "pull_request/ada/shop#1", 0.0)
    assert vacated([gone], now) == []
