from datetime import timedelta

import pytest

from insights.planted import PLAIN, PRICES, READ, START, WRITE, Conversation, history_of, said, user
from modicum.insights.finding import FindingClass
from modicum.insights.findings.uncached_prefix import find
from modicum.insights.replay import Replay


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


def test_single_calls_with_one_prompt_are_found_and_their_saving_is_a_bound():
    singles = [
        Conversation(f"s{n}", cached=False, start=START + timedelta(minutes=2 * n)).call(
            user("prompt", 12_000), user(f"question {n}", 300)
        )
        for n in range(6)
    ]
    history = history_of(*singles)

    found = find(history)

    assert (found.calls, found.tokens) == (5, 60_000)
    assert found.finding_class is FindingClass.UPPER_BOUND
    saved = Replay(history, PRICES).run([found.change]).saving_usd
    assert saved == pytest.approx(5 * 12_000 * (PLAIN - READ) - 12_000 * (WRITE - PLAIN))
