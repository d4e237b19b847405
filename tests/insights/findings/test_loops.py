import numpy as np
import pytest

from insights.planted import OUT, READ, WRITE, Conversation, history_of, said, tool_round, user
from modicum.insights.findings.loops import find

STUCK = tool_round("Bash", "make", "error 2", 180)


def test_the_third_identical_call_and_those_behind_it_are_a_loop():
    talk = (
        Conversation().call(user("do", 1000)).call(*STUCK).call(*STUCK).call(*STUCK).call(*STUCK).call(said("give up"))
    )

    found = find(history_of(talk))

    # Rounds are 200 tokens. Rounds 3 and 4 were sent with calls 3 and 4; call 5 carries both.
    sent = (1000 + 400) * READ + 200 * WRITE + (1000 + 600) * READ + 200 * WRITE
    asking, carried = 2 * 30 * OUT, 400 * READ
    assert found.details["loops_of_one"] == 2
    assert found.gross_usd == pytest.approx(sent + asking + carried)
    assert found.change.dropped_calls.tolist() == [False, False, True, True, False, False]
    assert np.flatnonzero(found.change.segment_tokens == 0).tolist() == [5, 6, 7, 8]


def test_a_cycle_of_two_calls_gone_through_three_times():
    one, other = tool_round("Read", "a", "A"), tool_round("Grep", "b", "B")
    talk = Conversation().call(user("do", 1000))
    for _ in range(3):
        talk.call(*one).call(*other)

    found = find(history_of(talk))

    assert (found.details["loops_of_one"], found.details["loops_of_several"]) == (0, 2)
    assert found.calls == 2


@pytest.mark.parametrize("period", [2, 3, 4, 5, 6])
def test_cycles_of_two_to_six_calls(period):
    talk = Conversation().call(user("do", 1000))
    for _ in range(4):
        for step in range(period):
            talk.call(*tool_round("Read", f"file {step}", f"text {step}"))

    found = find(history_of(talk.call(said("well"))))

    assert found.details["loops_of_several"] == found.calls == 2 * period  # the third and the fourth round


def test_a_cycle_of_seven_is_none():
    talk = Conversation().call(user("do", 1000))
    for number in range(28):
        talk.call(*tool_round("Read", f"file {number % 7}", f"text {number % 7}"))

    assert find(history_of(talk)).calls == 0


def test_three_agents_that_go_round_in_a_ring():
    ring = [Conversation(name, task="t", agent=name) for name in ("a", "b", "c")]
    for number in range(4):
        for one in ring:
            one.at = max(other.at for other in ring)
            one.call(said(f"{one.name} {number}"), user(f"over to {one.name}", 100))

    assert find(history_of(*ring)).details["rounds_between_agents"] == 6


def test_twice_is_no_loop():
    assert find(history_of(Conversation().call(user("do", 1000)).call(*STUCK).call(*STUCK))).calls == 0


def test_a_poll_is_no_loop():
    waited, answered = Conversation("a").call(user("do", 1000)), Conversation("b").call(user("do", 1000))
    for _ in range(4):
        waited.call(*tool_round("Bash", "sleep 30; status", "pending"), after=30)
        answered.call(*tool_round("Status", "job 7", "pending"))
    answered.call(*tool_round("Status", "job 7", "done"))

    assert find(history_of(waited, answered)).calls == 0


def test_pages_of_a_list_are_no_loop():
    by_number, by_cursor = Conversation("a").call(user("do", 1000)), Conversation("b").call(user("do", 1000))
    for page in range(5):
        by_number.call(*tool_round("List", f"page {page}", "empty"))
        by_cursor.call(*tool_round("Next", "", f"items {page}"))

    assert find(history_of(by_number, by_cursor)).calls == 0


def test_two_agents_that_tell_each_other_the_same_a_third_time():
    planner = Conversation("planner", task="t", agent="planner")
    worker = Conversation("worker", task="t", agent="worker")
    for number in range(3):
        planner.at = worker.at = max(planner.at, worker.at)
        planner.call(said(f"try {number}"), user("it failed", 100))
        worker.at = planner.at
        worker.call(said(f"failed {number}"), user("try again", 100))

    found = find(history_of(planner, worker))

    assert found.details["rounds_between_agents"] == 2
    assert set(found.examples) == {"planner.2", "worker.2"}


def test_an_agent_that_hears_something_new_each_time_is_at_work():
    planner = Conversation("planner", task="t", agent="planner")
    worker = Conversation("worker", task="t", agent="worker")
    for number in range(5):
        planner.at = worker.at = max(planner.at, worker.at)
        planner.call(user(f"done {number}", 100))
        worker.at = planner.at
        worker.call(user("next", 100))

    assert find(history_of(planner, worker)).calls == 0


def test_usage_alone_says_what_it_lacks():
    assert find(history_of(Conversation(anatomy=None).call(user("do", 100)))).lacks
