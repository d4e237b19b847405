import pytest

from insights.planted import OUT, READ, WRITE, Conversation, history_of, tool_round, user
from modicum.insights.findings.failed_tools import find, find_retried
from modicum.insights.findings.loops import find_repeated_results


def test_a_failed_try_that_was_mended_at_once_cost_its_turn_and_its_carry():
    talk = Conversation().call(user("do", 1000)).call(*tool_round("Edit", "a", "not read yet", 180, failed=True))

    found = find(history_of(talk.call(*tool_round("Edit", "a, read", "done", 30))))

    turn = 1000 * READ + 200 * WRITE + 30 * OUT
    assert found.gross_usd == pytest.approx(turn + 200 * READ)
    assert found.details == {"failed_results": 1, "failed_share": 0.5, "storms": 0, "storms_with_backoff": 0}
    assert found.examples == ("t.1",)


def test_a_storm_of_three_failures_counts_behind_the_first():
    talk = Conversation().call(user("do", 1000))
    for number in range(3):
        talk.call(*tool_round("Fetch", f"try {number}", f"refused {number}", failed=True))

    assert find(history_of(talk)).calls == 2


def test_a_command_that_fails_is_an_answer_and_a_single_failure_may_be_one():
    shell = Conversation("a").call(user("do", 1000)).call(*tool_round("Bash", "test", "1 failed", failed=True))
    shell.call(*tool_round("Bash", "test 2", "passed"))
    left = Conversation("b").call(user("do", 1000)).call(*tool_round("Fetch", "x", "404", failed=True))
    left.call(*tool_round("Search", "x", "found"))

    assert find(history_of(shell, left)).calls == 0


def test_identical_failures_are_a_loop_and_counted_there():
    talk = Conversation().call(user("do", 1000))
    for _ in range(4):
        talk.call(*tool_round("Fetch", "x", "refused", failed=True))

    assert find(history_of(talk)).calls == 1  # the second; the loop finding has the third and the fourth


def stormy(tool, argument, gaps, *, ends_with=None):
    talk = Conversation().call(user("do", 1000))
    for number, gap in enumerate(gaps):
        talk.call(*tool_round(tool, argument(number), "refused", failed=True), after=gap)
    return history_of(talk.call(*(tool_round(tool, argument(0), ends_with) if ends_with else ())))


BACKOFF, STEADY = (1, 2, 4, 8, 16, 32), (5, 5, 5, 5, 5, 5)


@pytest.mark.parametrize(("gaps", "with_backoff"), [(BACKOFF, 1), (STEADY, 0)])
def test_a_retry_storm_is_found_whatever_its_gaps_and_told_apart_by_them(gaps, with_backoff):
    history = stormy("Fetch", lambda number: f"try {number}", gaps)

    found = find(history)

    assert found.calls == len(gaps) - 1
    assert (found.details["storms"], found.details["storms_with_backoff"]) == (1, with_backoff)


def test_identical_retries_with_backoff_are_found_by_this_finding_and_the_loops_together_each_once():
    history = stormy("Fetch", lambda _: "x", BACKOFF)

    ours, loops = find_retried(history), find_repeated_results(history)[0]

    assert not (ours & loops).any()
    assert (ours | loops).sum() == len(BACKOFF) - 1


def test_a_command_that_fails_in_the_same_words_again_and_again_is_a_storm_unless_it_waited_for_what_came():
    slow = (15, 30, 60, 120)

    assert find(stormy("Bash", lambda _: "curl x", slow)).calls == 2  # behind the second
    assert find(stormy("Bash", lambda _: "curl x", slow, ends_with="200")).calls == 0
