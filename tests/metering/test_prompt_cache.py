from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.metering.prompt_cache import (
    UNKNOWN_TOKENS,
    CallSequence,
    RecordedBuckets,
    change_habits,
    find_rules,
    learn_habits,
    load_rules,
    predict,
)


def sequence(*calls, model=0, minimum=1024, step=1, implicit=False, made=None):
    """Calls as (conversation, time, prompt, kept)."""
    talk, at, prompt, kept = (np.array(column, float) for column in zip(*calls, strict=True))
    count = len(calls)
    models = np.full(count, model) if np.isscalar(model) else np.array(model)
    made = np.ones(count, bool) if made is None else np.array(made)
    return CallSequence(
        talk.astype(int), at, at, models, prompt, kept, np.full(count, float(minimum)), np.full(count, float(step)),
        np.full(count, implicit), np.full(count, 300.0), made,
    )  # fmt: skip


def habits_of(calls, *buckets):
    """Learnt from buckets as (read, written for 5 minutes, for an hour, uncached)."""
    recorded = RecordedBuckets(*(np.array(column, float) for column in zip(*buckets, strict=True)))
    groups = np.zeros(len(calls.prompt), int)
    return learn_habits(calls, recorded, groups, groups)


def reads(calls, *buckets):
    return predict(calls, habits_of(calls, *buckets)).read.tolist()


def test_a_call_in_time_reads_what_the_call_before_left():
    calls = sequence((0, 0, 5000, 0), (0, 299, 6000, 5000), (0, 700, 7000, 6000))

    found = predict(calls, habits_of(calls, (0, 5000, 0, 0), (5000, 1000, 0, 0), (0, 7000, 0, 0)))

    assert found.read.tolist() == [0, 5000, 0]
    assert found.written.tolist() == [5000, 1000, 7000]
    assert found.warm.tolist() == [False, True, False]


def test_what_was_written_for_an_hour_is_read_within_the_hour():
    calls = sequence((0, 0, 5000, 0), (0, 3600, 6000, 5000))

    assert reads(calls, (0, 0, 5000, 0), (0, 0, 6000, 0)) == [0, 5000]


def test_the_tail_behind_the_last_breakpoint_is_not_in_the_cache():
    calls = sequence((0, 0, 5000, 0), (0, 9, 6000, 5000), (0, 18, 7000, 6000))

    found = predict(calls, habits_of(calls, (0, 4990, 0, 10), (4990, 1000, 0, 10), (5990, 1000, 0, 10)))

    assert found.read.tolist() == [0, 4990, 5990]
    assert found.uncached.tolist() == [0, 10, 10]


def test_after_a_cut_an_older_breakpoint_is_read_if_all_up_to_it_stood():
    told = (0, 5000, 0, 0)
    calls = sequence((0, 0, 5000, 0), (0, 9, 6000, 5000), (0, 18, 7000, 6000), (0, 27, 6500, 6200), (0, 36, 6600, 5900))

    assert reads(calls, *[told] * 5) == [0, 5000, 6000, 6000, 5000]


def test_another_model_has_another_cache_and_the_first_one_is_still_warm():
    calls = sequence((0, 0, 5000, 0), (0, 9, 6000, 5000), (0, 18, 7000, 6000), model=[0, 1, 0])

    assert reads(calls, (0, 5000, 0, 0), (0, 6000, 0, 0), (5000, 2000, 0, 0)) == [0, 0, 5000]


def test_a_call_that_is_not_made_leaves_nothing_in_the_cache():
    calls = sequence((0, 0, 5000, 0), (0, 9, 6000, 5000), (0, 18, 7000, 6000), made=[True, False, True])

    assert reads(calls, (0, 5000, 0, 0), (5000, 1000, 0, 0), (6000, 1000, 0, 0)) == [0, 0, 5000]


def test_prompts_below_the_floor_are_never_cached():
    calls = sequence((0, 0, 900, 0), (0, 9, 1000, 900), (0, 18, 2000, 1000), (0, 27, 2100, 2000))

    found = predict(calls, habits_of(calls, (0, 0, 0, 900), (0, 0, 0, 1000), (0, 2000, 0, 0), (2000, 100, 0, 0)))

    assert found.read.tolist() == [0, 0, 0, 2000]
    assert found.uncached[:2].tolist() == [900, 1000]


def test_implicit_caches_read_in_steps_write_nothing_and_end_anywhere():
    calls = sequence((0, 0, 5000, 0), (0, 9, 6000, 5000), (0, 18, 6000, 3000), step=128, implicit=True)

    found = predict(calls, habits_of(calls, *[(0, 0, 0, 5000)] * 3))

    assert found.read.tolist() == [0, 4992, 2944]
    assert found.written.tolist() == [0, 0, 0]


def test_the_front_is_learnt_from_an_earlier_cold_start_and_read_while_others_keep_it_warm():
    calls = sequence((0, 0, 5000, 0), (1, 100, 5100, 0), (2, 200, 5200, 0), (3, 9000, 5300, 0))

    found = reads(calls, (0, 5000, 0, 0), (4000, 1100, 0, 0), (4000, 1200, 0, 0), (0, 5300, 0, 0))

    # The second call showed the front; before it nobody knew, and hours later nobody keeps it warm.
    assert found == [0, 0, 4000, 0]


def test_short_questions_behind_a_long_front_show_it_from_the_second_on():
    calls = sequence(*((talk, 60 * talk, 5000, 0) for talk in range(4)))

    found = reads(calls, (0, 5000, 0, 0), (4900, 100, 0, 0), (4900, 100, 0, 0), (4900, 100, 0, 0))

    # One first call that reads nearly everything may be a conversation gone on with; two of one length are a front.
    assert found == [0, 0, 0, 4900]


def test_a_read_that_ends_within_system_prompt_and_tools_is_a_front_at_once():
    calls = sequence(*((talk, 60 * talk, 5000, 0) for talk in range(3)))
    recorded = RecordedBuckets(*np.array([(0, 5000, 0, 0), (4900, 100, 0, 0), (4900, 100, 0, 0)], float).T)
    groups = np.zeros(3, int)

    habits = learn_habits(calls, recorded, groups, groups, np.full(3, 4900.0))

    assert predict(calls, habits).read.tolist() == [0, 0, 4900]


def test_a_prompt_too_short_to_be_cached_tells_nothing_of_the_caller():
    calls = sequence((0, 0, 900, 0), (0, 9, 3000, 900), (0, 18, 4000, 3000))

    found = predict(calls, habits_of(calls, (0, 0, 0, 900), (0, 3000, 0, 0), (3000, 1000, 0, 0)))

    assert found.written.tolist() == [0, 3000, 1000]


def test_a_front_that_strangers_keep_warm_is_expected_once_it_was_seen():
    calls = sequence((0, 0, 5000, 0), (1, 9000, 5000, 0))

    assert reads(calls, (4000, 1000, 0, 0), (4000, 1000, 0, 0)) == [0, 4000]


def test_of_a_cut_prompt_the_mean_share_of_earlier_ones_is_expected():
    cut = [(0, 10 * number, 8000, UNKNOWN_TOKENS if number else 0) for number in range(4)]
    calls = sequence(*cut)

    found = reads(calls, (0, 8000, 0, 0), (8000, 0, 0, 0), (2000, 6000, 0, 0), (0, 8000, 0, 0))

    # Nobody had cut before the second call; the third learnt 8,000 of 8,000, the fourth the mean of that and a quarter.
    assert found == [0, 0, 8000, 5000]


def test_where_nothing_says_what_stood_only_the_front_is_read():
    calls = sequence((0, 0, 9000, 0), (1, 10, 9000, 0), (1, 20, 8000, UNKNOWN_TOKENS))

    assert reads(calls, (0, 9000, 0, 0), (4000, 5000, 0, 0), (0, 8000, 0, 0)) == [0, 0, 4000]


def test_who_caches_nothing_is_expected_to_go_on_so_unless_it_is_switched_on():
    calls = sequence((0, 0, 5000, 0), (0, 9, 6000, 5000), (0, 18, 7000, 6000))
    habits = habits_of(calls, (0, 0, 0, 5000), (0, 0, 0, 6000), (0, 0, 0, 7000))

    assert predict(calls, habits).uncached.tolist()[1:] == [6000, 7000]
    on = change_habits(habits, np.full(3, 300), np.zeros(3))
    assert predict(calls, on).read.tolist() == [0, 5000, 6000]
    off = change_habits(on, np.zeros(3, int), np.zeros(3))
    assert predict(calls, off).uncached.tolist() == [5000, 6000, 7000]


conversations = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 5000), st.integers(0, 9000), st.floats(0, 1)), min_size=1, max_size=12
)
buckets = st.tuples(*[st.integers(0, 4000)] * 4)


@given(conversations, st.data())
def test_a_prediction_never_sees_the_buckets_of_its_own_call(shape, data):
    shape = sorted(shape, key=lambda call: call[0])
    calls = sequence(*((talk, 400.0 * n, prompt, share * prompt) for n, (talk, _, prompt, share) in enumerate(shape)))
    told = [data.draw(buckets) for _ in shape]
    place = data.draw(st.integers(0, len(shape) - 1))
    other = [*told[:place], data.draw(buckets), *told[place + 1 :]]

    one, two = predict(calls, habits_of(calls, *told)), predict(calls, habits_of(calls, *other))

    for name in ("read", "written", "uncached"):
        assert getattr(one, name)[place] == getattr(two, name)[place]


@given(conversations, st.data())
def test_buckets_are_never_negative_and_sum_to_the_prompt(shape, data):
    shape = sorted(shape, key=lambda call: call[0])
    calls = sequence(*((talk, gap, prompt, share * prompt) for talk, gap, prompt, share in shape))

    found = predict(calls, habits_of(calls, *(data.draw(buckets) for _ in shape)))

    assert np.minimum(np.minimum(found.read, found.written), found.uncached).min() >= 0
    assert found.read + found.written + found.uncached == pytest.approx(calls.prompt)


@pytest.mark.parametrize(
    ("model", "minimum", "is_implicit"),
    [
        ("claude-opus-4-5-20251101", 4096, False),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", 1024, False),
        ("vertex_ai/claude-haiku-4-5", 4096, False),
        ("gpt-5-mini", 1024, True),
        ("gemini-2.5-pro", 2048, True),
    ],
)
def test_rules_are_found_by_the_names_that_logs_have(model, minimum, is_implicit):
    rules = find_rules(model, date(2026, 2, 3))

    assert (rules.minimum, rules.is_implicit) == (minimum, is_implicit)


def test_rules_are_dated_and_unknown_models_have_none():
    assert find_rules("claude-opus-4-5", date(2023, 1, 1)) is None
    assert find_rules("mystery", date(2026, 1, 1)) is None
    assert all(rules.source and rules.ttl_s and rules.step >= 1 for rules in load_rules())


def test_whole_units_are_read_up_to_where_an_earlier_call_ended_or_not_at_all():
    grown = sequence((0, 0, 5000, 0), (0, 9, 6000, 5000), (0, 18, 7000, 5500), minimum=64, implicit=True)
    buckets = (0, 0, 0, 5000), (5000, 0, 0, 1000), (5000, 0, 0, 2000)

    assert reads(grown, *buckets) == [0, 5000, 5500]
    assert reads(replace(grown, whole=np.ones(3, bool)), *buckets) == [0, 5000, 5000]


def test_deepseek_reads_whole_units_since_v4():
    assert find_rules("deepseek-v4-flash", date(2026, 11, 30)).whole_units
    assert find_rules("deepseek/deepseek-chat", date(2026, 11, 30)) is not None
    assert not find_rules("deepseek-chat", date(2025, 6, 1)).whole_units


def test_a_sure_call_keeps_what_it_kept_whatever_came_in_between():
    mixed = sequence((0, 0, 5000, 0), (0, 9, 2000, 1000), (0, 18, 6000, 5000), model=[0, 1, 0])
    buckets = (0, 5000, 0, 0), (0, 2000, 0, 0), (5000, 1000, 0, 0)

    assert reads(mixed, *buckets) == [0, 0, 0]
    assert reads(replace(mixed, sure=np.ones(3, bool)), *buckets) == [0, 0, 5000]
