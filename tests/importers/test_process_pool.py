import pytest

from modicum.importers.process_pool import map_in_processes


def double(number):
    return 2 * number


def invert(number):
    return 1 / number


def test_results_come_in_the_order_of_the_items_and_more_items_than_are_ahead_are_worked_off():
    assert list(map_in_processes(double, range(20), 2, "spawn")) == [2 * number for number in range(20)]


def test_no_items_are_no_results():
    assert list(map_in_processes(double, [], 2, "spawn")) == []


def test_the_error_of_an_item_comes_in_its_place():
    results = map_in_processes(invert, [1, 2, 0], 2, "spawn")

    assert (next(results), next(results)) == (1.0, 0.5)
    with pytest.raises(ZeroDivisionError):
        next(results)
