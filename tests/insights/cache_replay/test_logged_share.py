import msgspec
import pytest

from insights.planted import PRICES, Conversation, history_of, said, user
from modicum.calls import Usage
from modicum.insights.cache_replay.logged_share import LoggedShare, find_grown
from modicum.ledger.booking import book


def grown(hidden=0, scale=1.0, turns=4, each=1000):
    """A conversation whose provider counted `scale` tokens for one of ours, and `hidden` ones that no log holds."""
    talk, before = Conversation(), 0
    for turn in range(1, turns + 1):
        prompt = round(hidden + turn * each * scale)
        talk.call(user(f"u{turn}", each), usage=Usage(0, before, prompt - before, 0, 9))
        before = prompt
    return history_of(talk)


def test_what_growth_does_not_explain_is_unlogged_and_all_that_stood_is_the_prompt_before():
    logged = LoggedShare.fit(grown(hidden=3000))

    assert logged.scale.tolist() == [1, 1, 1, 1]
    assert logged.unlogged.tolist() == [3000] * 4
    assert logged.kept.tolist() == [0, 4000, 5000, 6000]


def test_another_tokenizer_is_a_factor_and_nothing_is_unlogged():
    logged = LoggedShare.fit(grown(scale=1.3))

    assert logged.scale == pytest.approx([1.3] * 4)
    assert logged.unlogged == pytest.approx([0] * 4)


def test_both_at_once_are_told_apart():
    logged = LoggedShare.fit(grown(hidden=3000, scale=1.3))

    assert logged.scale == pytest.approx([1.3] * 4)
    assert logged.unlogged == pytest.approx([3000] * 4)


def test_after_a_cut_what_was_lost_is_taken_off_the_prompt_before():
    talk = Conversation().call(user("a", 1000), usage=Usage(0, 0, 4000, 0, 9))
    talk.call(said("b", 1000), usage=Usage(0, 4000, 1000, 0, 9))
    talk.compact(said("c", 100), kept=1)
    talk.entries[-1] = booked_anew(talk, Usage(0, 4000, 100, 0, 9))

    logged = LoggedShare.fit(history_of(talk))

    assert logged.kept.tolist() == [0, 4000, 4000]


def booked_anew(talk, usage):
    return book(msgspec.structs.replace(talk.entries[-1].call, usage=usage), PRICES)


def test_segments_that_sum_to_the_prompt_are_left_as_they_are():
    history = history_of(Conversation().call(user("a", 1000)).call(said("b", 50)))

    logged = LoggedShare.fit(history)

    assert (logged.scale.tolist(), logged.unlogged.tolist()) == ([1, 1], [0, 0])
    assert find_grown(history).tolist() == [False, True]
