import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.insights.repetition import backs_off, find_loops, find_runs


def loops(keys, questions=None, groups=None):
    numbers = np.array([ord(letter) for letter in keys])
    asked = None if questions is None else np.array([ord(letter) for letter in questions])
    apart = np.zeros(len(numbers), np.int64) if groups is None else np.array(groups)
    return "".join(map(str, find_loops(numbers, apart, questions=asked)))


@pytest.mark.parametrize(
    ("keys", "periods"),
    [
        ("aab", "000"),  # twice is no loop
        ("aaa", "001"),
        ("aaaab", "00110"),
        ("abab", "0000"),
        ("ababab", "000022"),
        ("abcabcabcd", "0000003330"),
        ("abcdefabcdefabcdef", "000000000000666666"),
        ("abcdefgabcdefgabcdefg", "0" * 21),  # a period of seven is work, not a loop
        ("aaabbb", "001001"),
    ],
)
def test_a_loop_is_the_third_time_round(keys, periods):
    assert loops(keys) == periods


def test_a_poll_whose_answer_came_is_no_loop():
    """Asked p four times: pending, pending, pending, done."""
    assert loops("aaad", "pppp") == "0000"
    assert loops("aaad", "pppq") == "0010"


def test_pages_are_asked_for_with_other_arguments_and_so_have_other_keys():
    assert loops("abcdef") == "000000"


def test_conversations_are_not_compared_with_each_other():
    assert loops("aaa", groups=[0, 0, 1]) == "000"


def test_what_is_not_known_equals_nothing():
    assert find_loops(np.array([-1, -1, -1, -1]), np.zeros(4, np.int64)).tolist() == [0, 0, 0, 0]


@given(st.lists(st.integers(0, 3), max_size=40))
def test_the_first_two_rounds_are_never_marked(keys):
    found = find_loops(np.array(keys, np.int64), np.zeros(len(keys), np.int64))
    for place in np.flatnonzero(found):
        period = found[place]
        assert keys[place] == keys[place - period] == keys[place - 2 * period]


def test_runs_are_told_within_their_group():
    flags = np.array([1, 1, 1, 0, 1, 1, 1, 1, 0, 1], bool)
    groups = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2])

    assert find_runs(flags, groups, 3) == [slice(0, 3)]
    assert find_runs(flags, groups, 2) == [slice(0, 3), slice(4, 6), slice(6, 8)]
    assert find_runs(flags[:0], groups[:0], 2) == []


@pytest.mark.parametrize(
    ("times", "grows"),
    [([0, 1, 3, 7], True), ([0, 5, 10, 15], False), ([0, 8, 12, 14], False), ([0, 1, 1.95, 4], True), ([0, 9], False)],
)
def test_the_gaps_of_a_backoff_grow(times, grows):
    assert backs_off(np.array(times, np.float64)) is grows
