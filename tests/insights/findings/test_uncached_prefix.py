import pytest

from insights.planted import PLAIN, Conversation, history_of, said, user
from modicum.insights.findings.uncached_prefix import find


def test_a_long_beginning_that_stays_the_same_is_paid_in_full_each_time():
    talk = Conversation(cached=False).call(user("long", 5000)).call(said("a"), user("b", 80)).call(said("c"))

    found = find(history_of(talk))

    assert (found.calls, found.tokens) == (2, 5000 + 5100)
    assert found.gross_usd == pytest.approx((5000 + 5100) * PLAIN)
    assert found.change.unbroken.tolist() == [False, True, True]


def test_cached_conversations_short_prompts_and_long_pauses_are_left_alone():
    cached = Conversation("a").call(user("long", 5000)).call(said("a"))
    short = Conversation("b", cached=False).call(user("short", 500)).call(said("a"))
    paused = Conversation("c", cached=False).call(user("another long", 5000)).call(said("a"), after=400)

    assert find(history_of(cached, short, paused)).calls == 0


def test_usage_alone_does_not_tell_what_stayed_the_same():
    talk = Conversation(cached=False, anatomy=None).call(user("long", 5000)).call(said("a"))

    found = find(history_of(talk))

    assert found.calls == 0
    assert "what prompts hold" in found.lacks
