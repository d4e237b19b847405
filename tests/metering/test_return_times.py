import pytest

from modicum.metering.keep_warm import MOST_PINGS, best_pings, net_per_reply
from modicum.metering.return_times import CODING_AGENTS, EDGES_S, ReturnTimes


def test_gaps_fall_into_the_classes_that_end_after_them():
    times = ReturnTimes.of_gaps([1, 300, 301, 540, 541, float("inf"), 1e9])

    assert times.within(300) == 2
    assert times.within(540) == 4
    assert times.within(810) == 5
    assert times.never == 2
    assert times.replies == 7


def test_sums_and_scales_keep_shares():
    times = ReturnTimes.of_gaps([1, 400]) + ReturnTimes.of_gaps([float("inf")] * 2)

    assert (times.replies, times.never) == (4, 2)
    assert times.scaled(100).within(540) == pytest.approx(50)
    assert ReturnTimes.of_gaps([]).scaled(10).replies == 0


def test_classes_rise():
    assert sorted(set(EDGES_S)) == list(EDGES_S)
    assert len(CODING_AGENTS.counts) == len(EDGES_S)


def test_a_ping_is_worth_the_writes_that_it_saves_less_all_that_are_sent():
    # of ten replies five are followed at once, three after 400 s, two never
    times = ReturnTimes.of_gaps([1] * 5 + [400] * 3 + [float("inf")] * 2)

    # pings are sent after five replies, and save three writes
    assert net_per_reply(times, 300, 1, 0.1, 1.25) == pytest.approx((3 * 1.15 - 5 * 0.1) / 10)
    assert net_per_reply(times, 300, 2, 0.1, 1.25) == pytest.approx((3 * 1.15 - 5 * 0.1 - 2 * 0.1) / 10)
    assert best_pings(times, 300, 0.1, 1.25) == 1


def test_cheaper_reads_make_more_pings_pay_and_dear_ones_none():
    counts = [best_pings(CODING_AGENTS, 300, read, 1.25) for read in (1.25, 0.1, 0.05, 0.025)]

    assert counts == [0, 3, 5, 10]
    assert max(counts) <= MOST_PINGS
    assert best_pings(ReturnTimes.of_gaps([]), 300, 0.1, 1.25) == 0
