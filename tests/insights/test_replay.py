from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.planted import EVER, PRICES, READ, START, WRITE, Conversation, history_of, result, said, tool_round, user
from modicum.calls import Anatomy, Usage, UserError
from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import load
from modicum.insights.replay import (
    Replay,
    check_model_price,
    counts_in_joint,
    marginal_savings,
    replay,
)
from modicum.insights.segment_costs import price_segments
from modicum.ledger.opening import open_store


def worked(name="t", rounds=4, tokens=3000, **fields):
    """An agent that reads file after file, with a cache that works as the rules say."""
    talk = Conversation(name, **fields).call(user(f"{name} question", 5000))
    for number in range(rounds):
        talk.call(*tool_round("Read", f"{name}{number}", f"{name} text {number}", tokens))
    return talk


def ints(history, value):
    return np.full(history.calls, value, dtype=np.int64)


def capped(history, most):
    results = history.segment_kind == history.code_of(history.kinds, "tool_result")
    return HistoryChange(
        segment_tokens=np.where(results, np.minimum(history.segment_tokens, most), history.segment_tokens)
    )


def test_a_clean_history_is_reproduced_to_the_token():
    history = history_of(worked("a"), worked("b", start=START + timedelta(days=1)))

    replays = Replay(history, PRICES)

    assert replays.base.cost_usd == pytest.approx(history.cost_usd)
    assert replays.recorded.cost_usd == pytest.approx(history.cost_usd)
    fidelity = replays.fidelity()
    assert (fidelity.total_error, fidelity.median_task_error, fidelity.unexplained_share) == pytest.approx((0, 0, 0))
    assert fidelity.is_within


def test_a_smaller_result_saves_its_write_once_and_its_read_on_every_later_call():
    history = history_of(worked(rounds=3, tokens=3000))

    replayed = replay(history, [capped(history, 1000)], PRICES)

    # Three results of 2,000 tokens less each: written once, and read on the calls behind (2 + 1 + 0).
    assert replayed.saving_usd == pytest.approx(3 * 2000 * WRITE + 3 * 2000 * READ)


def test_a_pause_costs_the_whole_context_for_five_minutes_and_nothing_for_an_hour():
    talk = worked()
    held = talk.tokens
    talk.call(user("back", 100), after=1200, usage=Usage(0, 0, held + 100, 0, 30))
    history = history_of(talk)
    replays = Replay(history, PRICES)

    assert replays.fidelity().total_error == pytest.approx(0)
    saved = replays.run([HistoryChange(ttl_seconds=ints(history, 3600))]).saving_usd

    # The pause is saved, and every write costs twice the plain rate instead of 1.25 times.
    written = held + 100
    assert saved == pytest.approx(held * (WRITE - READ) - written * 0.75 * 5e-6)


def test_without_a_cache_every_prompt_is_paid_in_full():
    history = history_of(worked())

    changed = replay(history, [HistoryChange(ttl_seconds=ints(history, 0))], PRICES).changed

    assert changed.uncached.tolist() == history.prompt.tolist()


def test_a_change_of_model_in_the_middle_pays_for_a_cold_cache():
    history = history_of(worked(rounds=3))
    late = np.arange(history.calls) >= 2

    changed = replay(
        history, [HistoryChange(models={"claude-opus-4-5": "claude-sonnet-4-5"}, model_calls=late)], PRICES
    ).changed

    assert changed.read.tolist()[2] == 0
    assert changed.written_5m.tolist()[2] == history.prompt[2]
    assert changed.read.tolist()[3] == history.cache_read[3]
    assert changed.cost_usd[3] == pytest.approx(history.cost_usd[3] * 3 / 5)  # $3 and $15 instead of $5 and $25


def test_a_call_that_is_not_made_costs_nothing_and_leaves_no_reply():
    history = history_of(worked(rounds=4))
    dropped = np.arange(history.calls) == 2

    changed = replay(history, [HistoryChange(dropped_calls=dropped)], PRICES).changed

    assert changed.cost_usd[2] == 0
    # The fourth call no longer has the reply of the third and what came back for it.
    assert history.prompt[3] - changed.prompt[3] == 3020
    # It reads what the second left and writes what the third would have written.
    assert changed.read[3] == history.prompt[1]


def test_a_break_without_a_cause_keeps_its_cost_in_both_arms_and_is_counted():
    talk = worked(rounds=2)
    held = talk.tokens
    talk.call(*tool_round("Read", "x", "text x", 3000), usage=Usage(0, 2000, held + 1020, 0, 30))
    history = history_of(talk)
    replays = Replay(history, PRICES)

    assert replays.caching.unexplained.tolist() == [False, False, False, True]
    assert replays.base.cost_usd[3] == history.cost_usd[3]
    fidelity = replays.fidelity()
    assert fidelity.unexplained_share == pytest.approx(history.cost_usd[3] / history.cost_usd.sum())
    assert fidelity.total_error == pytest.approx(0)
    assert fidelity.total_error_by_rules < 0
    longer = replays.run([HistoryChange(ttl_seconds=ints(history, -1))])
    assert longer.changed.cost_usd[3] == history.cost_usd[3]
    # Only the change that it had not been mends it.
    mended = replays.run([HistoryChange(unbroken=replays.caching.unexplained)])
    assert mended.saving_usd == pytest.approx((held - 2000) * (WRITE - READ))


def test_an_unexplained_break_still_gets_smaller_where_its_prompt_does():
    talk = worked(rounds=2)
    held = talk.tokens
    talk.call(*tool_round("Read", "x", "text x", 3000), usage=Usage(0, 5500, held - 2480, 0, 30))
    history = history_of(talk)

    changed = replay(history, [capped(history, 1000)], PRICES).changed

    # 5,500 read in the record lie within the first result (5,020 to 8,020), whose end beyond 1,000 tokens is cut.
    assert changed.read[3] == 5500
    assert changed.written_5m[3] == history.prompt[3] - 5500 - 3 * 2000


def test_leaving_out_the_call_that_met_a_break_leaves_the_break_to_the_next():
    talk = worked(rounds=2)
    held = talk.tokens
    talk.call(*tool_round("Read", "x", "text x", 3000), usage=Usage(0, 2000, held + 1020, 0, 30))
    history = history_of(talk.call(*tool_round("Read", "y", "text y", 3000)))
    dropped = np.array([False, False, False, True, False])

    changed = replay(history, [HistoryChange(dropped_calls=dropped)], PRICES).changed

    # Without the call its reply and the result that it asked for (3,020) are gone, and no breakpoint lies below 2,000.
    assert (changed.read[4], changed.written_5m[4]) == (0, held + 3020)


def test_a_break_is_none_where_nothing_is_cached():
    talk = worked(rounds=2)
    talk.call(*tool_round("Read", "x", "text x", 3000), usage=Usage(0, 2000, talk.tokens + 1020, 0, 30))
    history = history_of(talk)

    changed = replay(history, [HistoryChange(ttl_seconds=ints(history, 0))], PRICES).changed

    assert changed.uncached.tolist() == history.prompt.tolist()


def test_figures_that_rest_on_excuses_are_bounds():
    talk = worked(rounds=2)
    talk.call(*tool_round("Read", "x", "text x", 3000), usage=Usage(0, 0, talk.tokens + 3020, 0, 30))

    fidelity = Replay(history_of(talk), PRICES).fidelity()

    assert fidelity.total_error == pytest.approx(0)
    assert fidelity.unexplained_share > 0.1
    assert not fidelity.is_within


def test_a_history_that_begins_in_the_middle_saves_no_more_than_its_tokens_cost():
    talk = worked(rounds=6)
    store = open_store(":memory:")
    store.append(talk.entries)
    history = load(store, talk.entries[4].call.started, EVER[1])
    store.close()
    change = capped(history, 1000)

    replayed = replay(history, [change], PRICES)

    assert history.context_tokens.tolist() == [17080, 20100, 23120]  # of which 14,060 came before the span
    over = change.segment_tokens < history.segment_tokens
    _, gross = price_segments(history, over, history.segment_tokens[over] - 1000)
    assert gross == pytest.approx(3 * 2000 * WRITE + 3 * 2000 * READ)
    assert 0 < replayed.saving_usd <= gross


def test_reads_beyond_the_prediction_are_not_excused():
    talk = worked(rounds=2)
    held = talk.tokens
    talk.call(*tool_round("Read", "x", "text x", 3000), after=900, usage=Usage(0, held, 3020, 0, 30))

    fidelity = Replay(history_of(talk), PRICES).fidelity()

    assert fidelity.unexplained_calls == 0
    assert fidelity.total_error > 0.2
    assert not fidelity.is_within


def test_marginal_savings_sum_to_the_joint_one_whatever_the_overlap():
    history = history_of(worked())
    changes = [capped(history, 1000), capped(history, 500), HistoryChange(ttl_seconds=ints(history, 3600))]
    replays = Replay(history, PRICES)

    assert sum(marginal_savings(replays, changes)) == pytest.approx(replays.run(changes).saving_usd)


def test_headroom_and_upper_bounds_are_in_no_sum():
    history = history_of(worked())
    change = capped(history, 0)
    told = {"id": "X", "name": "x", "title": "", "what": "", "change": change}
    kinds = [Finding(finding_class=kind, **told) for kind in FindingClass]

    assert [found.finding_class for found in kinds if counts_in_joint(found)] == ["exact", "replayed"]


def test_calls_without_a_price_stay_as_they_were():
    history = history_of(worked("a"), worked("b", model="mystery", provider=""))
    replays = Replay(history, PRICES)

    replayed = replays.run([capped(history, 0)])

    assert replayed.recorded_usd == pytest.approx(np.nansum(history.cost_usd))
    assert replays.fidelity().unpriced_calls == 5
    with pytest.raises(UserError, match="no price is known for the model 'mystery'"):
        check_model_price(PRICES, history, "mystery")
    lost = replays.run([HistoryChange(models={"claude-opus-4-5": "mystery"})])
    assert (lost.unpriced_calls, lost.saving_usd) == (5, pytest.approx(0))


def test_usage_alone_is_replayed_as_if_prompts_had_only_grown():
    history = history_of(worked(anatomy=None))

    fidelity = Replay(history, PRICES).fidelity()

    assert fidelity.total_error == pytest.approx(0)
    assert fidelity.unexplained_calls == 0


@pytest.mark.parametrize("calls", [0, 1])
def test_histories_of_no_or_one_call_have_no_error_to_speak_of(calls):
    history = history_of(*[worked(rounds=0)] * calls)

    fidelity = Replay(history, PRICES).fidelity()

    assert (fidelity.calls, fidelity.total_error, fidelity.median_task_error) == (calls, 0, 0)


def test_clocks_that_jump_back_are_survived():
    talk = worked(rounds=2).call(user("later", 10), after=-86400.0).call(said("x"), after=200000.0)

    replays = Replay(history_of(talk), PRICES)

    assert np.isfinite(replays.base.cost_usd).all()


def test_a_history_that_begins_in_the_middle_is_not_excused():
    talk = worked(rounds=1)
    talk.entries = talk.entries[1:]

    fidelity = Replay(history_of(talk), PRICES).fidelity()

    assert fidelity.unexplained_calls == 0
    assert fidelity.total_error > 0


def test_a_task_of_five_thousand_calls_that_is_cut_again_and_again_is_replayed():
    talk = Conversation().call(user("question", 5000))
    for number in range(5000):
        if number % 10 == 9:
            talk.held, talk.tokens = 1, 5000
        talk.call(user(str(number), 50), usage=Usage(0, talk.tokens, 50, 0, 1))

    fidelity = Replay(history_of(talk), PRICES).fidelity()

    assert fidelity.calls == 5001
    assert abs(fidelity.total_error) < 0.001


def test_segments_that_another_tokenizer_counted_are_scaled_to_the_prompt():
    talk = Conversation()
    talk.call(anatomy=Anatomy(0, 0, (user("q", 1000), result("Read", "a", "t", 1000))), usage=Usage(0, 0, 2400, 0, 1))
    history = history_of(talk)

    changed = replay(history, [capped(history, 500)], PRICES).changed

    assert changed.prompt[0] == pytest.approx(2400 - 500 * 1.2)


def test_what_no_segment_explains_is_taken_for_unlogged_and_is_not_cut():
    talk = Conversation()
    talk.call(anatomy=Anatomy(0, 0, (user("q", 1000), result("Read", "a", "t", 1000))), usage=Usage(0, 0, 6000, 0, 1))
    history = history_of(talk)

    changed = replay(history, [capped(history, 500)], PRICES).changed

    assert changed.prompt[0] == 6000 - 500


sizes = st.lists(st.integers(2000, 9000), min_size=1, max_size=4)


@st.composite
def histories(draw):
    talks = []
    for number, rounds in enumerate(draw(st.lists(sizes, min_size=1, max_size=3))):
        talk = Conversation(f"t{number}", start=START + timedelta(seconds=draw(st.integers(0, 900))))
        talk.call(user(f"q{number}", 5000))
        for place, tokens in enumerate(rounds):
            after = draw(st.sampled_from([5.0, 200.0, 400.0, 4000.0]))
            read = draw(st.sampled_from([0, 2000, talk.tokens]))
            usage = Usage(0, read, talk.tokens + tokens + 20 - read, 0, 30)
            talk.call(*tool_round("Read", f"{number}.{place}", f"{number}.{place}", tokens), after=after, usage=usage)
        talks.append(talk)
    return history_of(*talks)


@st.composite
def changes_of(draw, history):
    per_call = st.lists(st.booleans(), min_size=history.calls, max_size=history.calls)
    some = draw(st.lists(st.floats(0, 1), min_size=history.segments, max_size=history.segments))
    return draw(
        st.lists(
            st.one_of(
                st.just(HistoryChange(segment_tokens=(history.segment_tokens * np.array(some)).astype(np.int64))),
                per_call.map(lambda calls: HistoryChange(dropped_calls=np.array(calls))),
                st.sampled_from([-1, 0, 300, 3600]).map(lambda ttl: HistoryChange(ttl_seconds=ints(history, ttl))),
                per_call.map(
                    lambda calls: HistoryChange(
                        models={"claude-opus-4-5": "claude-haiku-4-5"}, model_calls=np.array(calls)
                    )
                ),
                per_call.map(lambda calls: HistoryChange(tier="batch", tier_calls=np.array(calls))),
                per_call.map(lambda calls: HistoryChange(unbroken=np.array(calls))),
                st.integers(0, 40).map(lambda most: HistoryChange(max_output_tokens=ints(history, most))),
            ),
            max_size=4,
        )
    )


@given(st.data())
@settings(max_examples=settings.default.max_examples // 4)
def test_no_combination_of_changes_saves_more_than_was_spent(data):
    history = data.draw(histories())
    changes = data.draw(changes_of(history))

    replayed = replay(history, changes, PRICES)

    assert replayed.saving_usd <= replayed.recorded_usd * (1 + 1e-9)
    assert (replayed.changed.cost_usd >= 0).all()
    buckets = replayed.changed
    assert min(part.min() for part in (buckets.read, buckets.written_5m, buckets.written_1h, buckets.uncached)) >= 0
    assert (buckets.prompt <= history.prompt + 1e-6).all()


@given(st.data())
@settings(max_examples=settings.default.max_examples // 4)
def test_changes_that_change_nothing_save_exactly_nothing(data):
    history = data.draw(histories())
    nothing = [
        HistoryChange(),
        HistoryChange(segment_tokens=history.segment_tokens),
        HistoryChange(dropped_calls=np.zeros(history.calls, bool)),
        HistoryChange(ttl_seconds=ints(history, -1)),
        HistoryChange(models={"claude-opus-4-5": "claude-opus-4-5"}),
    ]
    replays = Replay(history, PRICES)

    assert replays.run(nothing).saving_usd == 0
    kept = replays.caching.unexplained
    assert replays.run(nothing).changed.cost_usd[kept] == pytest.approx(history.cost_usd[kept])


@given(st.data())
@settings(max_examples=settings.default.max_examples // 4)
def test_removing_tokens_never_costs_more_while_prompts_stay_above_the_floor(data):
    history = data.draw(histories())  # the question alone is above the 4,096 tokens of the model's floor
    results = history.segment_kind == history.code_of(history.kinds, "tool_result")
    some = data.draw(st.lists(st.floats(0, 1), min_size=history.segments, max_size=history.segments))
    sizes = np.where(results, (history.segment_tokens * np.array(some)).astype(np.int64), history.segment_tokens)

    assert replay(history, [HistoryChange(segment_tokens=sizes)], PRICES).saving_usd >= -1e-12


def test_another_prediction_is_held_against_the_record_alike():
    replays = Replay(history_of(worked()), PRICES)

    same = replays.fidelity(base=replays.price_prediction(replays.caching.predicted))

    assert same == replays.fidelity()
