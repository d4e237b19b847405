import math
import multiprocessing
import operator
import os
import time

import pytest

from modicum.importers.process_pool import map_in_processes


def test_results_come_in_the_order_of_the_items_and_more_items_than_are_ahead_are_worked_off():
    assert list(map_in_processes(operator.neg, range(20), 2, "spawn")) == [-number for number in range(20)]


def test_no_items_are_no_results():
    assert list(map_in_processes(operator.neg, [], 2, "spawn")) == []


def test_the_error_of_an_item_comes_in_its_place():
    results = map_in_processes(math.sqrt, [1, 4, -1], 2, "spawn")

    assert (next(results), next(results)) == (1.0, 2.0)
    with pytest.raises(ValueError, match="math domain error"):
        next(results)


def exists(pid):
    """A process whose end the pool's own thread has learned first stays alive to `multiprocessing`."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_who_wants_no_more_results_waits_for_none():
    before = set(multiprocessing.active_children())
    results = map_in_processes(time.sleep, [0, 600, 600, 600], 2, "fork")
    next(results)
    workers = set(multiprocessing.active_children()) - before
    results.close()
    for worker in workers:
        worker.join(30)

    assert workers
    assert [worker for worker in workers if worker.is_alive() and exists(worker.pid)] == []
