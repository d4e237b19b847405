import pytest

from insights.planted import OUT, READ, WRITE, Conversation, history_of, said, user
from modicum.calls import CallStatus
from modicum.insights.findings.failed_calls import find


def test_a_failed_call_costs_its_prompt_and_its_output():
    talk = Conversation().call(user("do it", 2000)).call(user("more", 100), status=CallStatus.ERROR, output=10)

    found = find(history_of(talk.call(user("again", 50))))

    assert found.calls == 1
    assert found.gross_usd == pytest.approx(2000 * READ + 100 * WRITE + 10 * OUT)
    assert found.examples == ("t.1",)


def test_a_broken_reply_that_the_conversation_went_on_with_was_used():
    talk = Conversation().call(user("do it", 2000), status=CallStatus.ABORTED).call(said("half a"), user("go on", 50))

    assert find(history_of(talk)).calls == 0


def test_a_reply_cut_short_counts_only_when_the_same_prompt_is_sent_again():
    again = Conversation().call(user("do it", 2000), finish_reason="max_tokens").call()
    goes_on = Conversation("u").call(user("do it", 2000), finish_reason="max_tokens").call(said("a"), user("b", 50))
    late = Conversation("v").call(user("do it", 2000), finish_reason="length").call(after=700)

    found = find(history_of(again, goes_on, late))

    assert (found.calls, found.examples) == (1, ("t.0",))
    assert found.change.dropped_calls.sum() == 1


def test_failures_without_tokens_are_named_and_cost_nothing():
    talk = Conversation(cached=False).call(status=CallStatus.ERROR, output=0).call(user("a", 10))

    found = find(history_of(talk))

    assert (found.calls, found.gross_usd, found.details["failed_calls_free"]) == (0, 0.0, 1)


@pytest.mark.parametrize(("gaps", "with_backoff"), [((1, 2, 4, 8), 1), ((3, 3, 3, 3), 0)])
def test_a_storm_of_failed_calls_is_named_and_told_apart_by_its_gaps(gaps, with_backoff):
    talk = Conversation().call(user("do it", 2000))
    for gap in gaps:
        talk.call(status=CallStatus.ERROR, after=gap, output=0, lasts=0.1)

    found = find(history_of(talk.call(user("well", 10))))

    assert (found.calls, found.details["storms"], found.details["storms_with_backoff"]) == (4, 1, with_backoff)
