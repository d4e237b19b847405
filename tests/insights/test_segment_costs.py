from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.planted import OUT, READ, WRITE, Conversation, history_of, said, tool_round, user
from modicum.calls import Usage
from modicum.insights.segment_costs import (
    add_tool_calls,
    hash_contexts,
    hash_rows,
    is_live_duplicate,
    price_rounds,
    price_segments,
    remove_rounds,
)


def test_the_end_of_a_segment_costs_its_share():
    history = history_of(Conversation().call(user("long", 1000)).call(said("a")))

    assert price_segments(history, np.array([0]), np.array([300])) == (600, pytest.approx(300 * WRITE + 300 * READ))


def test_all_segments_together_cost_the_prompts():
    history = history_of(Conversation().call(user("a", 900)).call(said("b")).compact(user("c", 70)))

    _, usd = price_segments(history, np.ones(history.segments, np.bool_))

    prompts = history.cost_cache_read_usd + history.cost_cache_write_5m_usd
    assert usd == pytest.approx(prompts.sum())


def test_what_our_count_has_beyond_the_prompt_was_not_paid_for():
    history = history_of(Conversation(cached=False).call(user("a", 900), usage=Usage(100, 0, 0, 0, 5)))

    assert price_segments(history, np.array([0])) == (900, pytest.approx(history.cost_uncached_usd[0]))


def test_the_words_of_a_reply_that_would_not_have_been_go_with_its_round():
    talk = (
        Conversation().call(user("a", 900)).call(*tool_round("Read", "x", "X"), said("let me see", 50)).call(said("b"))
    )
    history = history_of(talk)
    asked = np.array([True, False, False])

    _, usd = price_rounds(history, np.zeros(history.segments, np.bool_), asked)

    # The reply and the prompt behind it, and the 270 tokens of that round once more in the last call.
    assert usd == pytest.approx(30 * OUT + 900 * READ + 270 * WRITE + 270 * READ)


def test_a_result_takes_the_call_that_it_answers_along_and_no_other():
    same, other = tool_round("Read", "a", "A"), tool_round("Read", "b", "B")
    history = history_of(Conversation().call(*same, *other, *same))
    results = np.array([False, False, False, False, False, True])

    assert add_tool_calls(history, results).tolist() == [False, False, False, False, True, True]


def test_without_a_round_its_texts_are_empty_and_the_call_that_asked_for_it_is_gone():
    talk = Conversation().call(user("do", 100)).call(*tool_round("Read", "a", "A")).call(said("done"))
    history = history_of(talk)
    results = np.array([False, False, True, False])

    found = remove_rounds(history, results)

    assert found.calls.tolist() == [1]
    assert found.change.segment_tokens[1:3].tolist() == [0, 0]
    assert found.change.dropped_calls.tolist() == [True, False, False]
    assert remove_rounds(history, np.zeros(4, np.bool_)).change is None


@settings(max_examples=settings.default.max_examples // 4)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=25))
def test_contexts_are_equal_exactly_if_they_hold_the_same_texts(steps):
    talk, contexts, held = Conversation(), [], []
    for text, starts_anew in steps:
        if starts_anew:
            talk.held = talk.tokens = 0
            held = []
        talk.call(user(str(text), 10))
        held = [*held, text]
        contexts.append(tuple(held))
    history = history_of(talk)

    found = hash_contexts(history).tolist()

    pairs = Counter(zip(contexts, found, strict=True))
    assert len(pairs) == len(set(contexts)) == len(set(found))


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), max_size=30))
def test_mixed_codes_are_equal_exactly_for_equal_rows_and_never_negative(rows):
    columns = np.array(rows, np.int64).reshape(-1, 2)
    found = hash_rows(columns[:, 0], columns[:, 1])

    assert len(set(found.tolist())) == len(set(rows))
    assert (found >= 0).all()


def test_a_copy_is_there_already_only_while_the_first_lives():
    talk = Conversation().call(user("task", 10), user("log", 10)).call(user("log", 10)).compact(user("log", 10))
    history = history_of(talk)

    there = is_live_duplicate(history, history.segment_digest, np.ones(history.segments, np.bool_))

    assert there.tolist() == [False, False, True, False]
