import numpy as np
import pytest

from modicum.metering.keep_warm import count_pings, extend_ttl
from modicum.metering.prompt_cache import CallOrders, CallSequence


def calls_at(*times, talk=None, model=None):
    count = len(times)
    at, zeros = np.array(times, float), np.zeros(count, int)
    return CallSequence(
        zeros if talk is None else np.array(talk), at, at, zeros if model is None else np.array(model),
        np.full(count, 9000.0), np.zeros(count), np.full(count, 1024.0), np.ones(count), np.zeros(count, bool),
        np.full(count, 300.0), np.ones(count, bool),
    )  # fmt: skip


def pings_of(calls, most):
    count = len(calls.prompt)
    orders = CallOrders.sort(calls, np.zeros(count, int))
    return count_pings(calls, orders, np.full(count, 300.0), np.full(count, most)).tolist()


@pytest.mark.parametrize(("pings", "seconds"), [(0, 300), (1, 540), (3, 1080)])
def test_each_ping_keeps_the_cache_for_another_time_to_live_less_the_margin(pings, seconds):
    assert extend_ttl(np.array([300.0]), np.array([pings])).tolist() == [seconds]


def test_pings_are_sent_while_a_pause_lasts_and_no_longer():
    assert pings_of(calls_at(0, 299, 900, 910), 3) == [0, 2, 0, 3]


def test_pings_after_the_last_call_are_all_sent_in_every_conversation_and_for_every_model():
    assert pings_of(calls_at(0, 10, talk=[0, 1]), 2) == [2, 2]
    assert pings_of(calls_at(0, 10, model=[0, 1]), 2) == [2, 2]


def test_no_pause_has_more_pings_than_the_policy_allows():
    assert pings_of(calls_at(0, 100_000), 4) == [4, 4]
