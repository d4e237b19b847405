import numpy as np
import pytest

from modicum.metering.prompt_cache import CallSequence
from modicum.metering.shared_beginnings import SharedBeginnings, find_alike, find_warm, judge


def calls_at(*times, model=None, made=None):
    count = len(times)
    at, none = np.array(times, float), np.zeros(count)
    return CallSequence(
        np.arange(count), at, at, np.zeros(count, int) if model is None else np.array(model), np.full(count, 9000.0),
        none, np.full(count, 1024.0), np.ones(count), np.zeros(count, bool), np.full(count, 300.0),
        np.ones(count, bool) if made is None else np.array(made),
    )  # fmt: skip


def alike(count, tokens=8000.0, verdict=np.nan):
    return SharedBeginnings(
        np.arange(count), np.zeros(count, int), np.full(count, tokens), np.zeros(count, int), np.full(count, tokens),
        np.ones(count, bool), np.full(count, verdict),
    )  # fmt: skip


def test_a_beginning_is_warm_while_the_call_before_it_keeps_it():
    warm = find_warm(alike(3), calls_at(0, 200, 900), np.full(3, 300.0))

    assert warm.tolist() == [0, 8000, 0]


def test_another_model_a_call_not_made_and_a_caller_without_cache_keep_nothing_warm():
    assert find_warm(alike(2), calls_at(0, 10, model=[0, 1]), np.full(2, 300.0)).tolist() == [0, 0]
    assert find_warm(alike(2), calls_at(0, 10, made=[False, True]), np.full(2, 300.0)).tolist() == [0, 0]
    assert find_warm(alike(2), calls_at(0, 10), np.full(2, -np.inf)).tolist() == [0, 0]


def test_the_longest_of_several_warm_beginnings_counts():
    shared = SharedBeginnings(
        np.array([0, 1, 2, 1, 2]), np.array([0, 0, 0, 1, 1]), np.array([8000.0] * 3 + [8500.0] * 2),
        np.zeros(3, int), np.full(3, 8000.0), np.ones(3, bool), np.full(3, np.nan),
    )  # fmt: skip

    assert find_warm(shared, calls_at(0, 10, 20), np.full(3, 300.0)).tolist() == [0, 8000, 8500]


@pytest.mark.parametrize(
    ("read", "verdicts"),
    [
        ([0, 8000, 8000], [1, 1, 1]),
        ([0, 0, 0], [0, 0, 0]),
        ([0, 8000, 0], [1, 0, 1]),  # each is judged by the others, never by itself
    ],
)
def test_whether_beginnings_are_read_is_judged_by_the_other_calls(read, verdicts):
    warm = np.array([0, 8000.0, 8000])

    found = judge(np.array(read, float), warm, np.zeros(3, int), np.ones(3, bool))

    assert found.tolist() == verdicts


def test_where_no_other_call_could_read_nothing_is_known():
    assert np.isnan(judge(np.zeros(2), np.array([0, 8000.0]), np.zeros(2, int), np.ones(2, bool))[1])
    assert np.isnan(judge(np.zeros(2), np.zeros(2), np.full(2, -1), np.ones(2, bool))).all()


def test_an_unproved_beginning_is_read_in_the_hopeful_course_alone():
    calls, ttl_s, most = calls_at(0, 10), np.full(2, 300.0), np.full(2, 7000.0)

    assert find_alike(alike(2), calls, ttl_s, hopeful=True, most=most).tolist() == [0, 7000]
    assert np.isnan(find_alike(alike(2), calls, ttl_s, hopeful=False, most=most)).all()
    assert find_alike(alike(2, verdict=1), calls, ttl_s, hopeful=False, most=most).tolist() == [0, 7000]
    assert np.isnan(find_alike(alike(2, verdict=0), calls, ttl_s, hopeful=True, most=most)).all()
    assert alike(2).is_unproved.all()
    assert not alike(2, verdict=0).is_unproved.any()
