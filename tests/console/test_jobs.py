import threading

from modicum.calls import UserError
from modicum.console.jobs import MOST, Jobs


def until_done(jobs, key, work):
    event = threading.Event()
    for _ in range(500):
        result = jobs.get(key, work)
        if not result.is_running:
            return result
        event.wait(0.01)
    raise AssertionError("it did not end")


def test_pages_do_not_wait_and_see_the_result_when_it_is_there():
    jobs, may_end = Jobs(), threading.Event()

    def work():
        may_end.wait(10)
        return 42

    first = jobs.get("a", work)
    assert (first.value, first.is_running) == (None, True)
    may_end.set()
    done = until_done(jobs, "a", work)
    assert (done.value, done.error) == (42, "")
    assert done.made_at is not None
    assert jobs.get("a", lambda: 43).value == 42


def test_a_failure_is_said_and_a_bug_has_no_content():
    jobs = Jobs()

    def refuse():
        raise UserError("the ledger is empty")

    def fail():
        raise RuntimeError("secret words")

    assert until_done(jobs, "a", refuse).error == "the ledger is empty"
    assert until_done(jobs, "b", fail).error == "it failed: RuntimeError"


def test_memory_is_bounded():
    jobs = Jobs()
    for number in range(MOST + 5):
        until_done(jobs, number, lambda: 1)

    assert until_done(jobs, 0, lambda: 2).value == 2
