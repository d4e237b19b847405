import threading

import pytest

from modicum.console.answers import LEAST_S, MOST, REST, STALE_S, Answers, Burden


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_an_answer_is_worked_out_once_while_it_is_young():
    clock, counted = Clock(), []
    answers = Answers(clock)

    def ask():
        return answers.get("key", lambda: counted.append(1) or len(counted))

    assert [ask(), ask()] == [1, 1]
    clock.now += LEAST_S * 1.01
    assert ask() == 2


def test_all_that_takes_long_has_a_fortieth_of_the_time_together():
    clock, worked_s = Clock(), []
    answers = Answers(clock)

    def slow():
        clock.now += 0.5
        worked_s.append(0.5)

    for key in range(4):
        answers.get(key, slow)
    assert len(worked_s) == 4  # who comes first does not wait
    began = clock.now
    for _ in range(4_000):
        clock.now += 0.1
        for key in range(4):
            answers.get(key, slow)

    assert 0.015 < (sum(worked_s) - 2) / (clock.now - began) <= 1 / (1 + REST)


def test_what_is_quick_is_fresh_whatever_else_takes_long():
    clock, counted = Clock(), []
    answers = Answers(clock)

    def slow():
        clock.now += 30

    answers.get("slow", slow)
    answers.get("quick", lambda: counted.append(1))
    clock.now += LEAST_S * 1.01
    answers.get("quick", lambda: counted.append(1))
    assert len(counted) == 2
    answers.get("page", slow, 0.1, Burden.NOBODY)
    clock.now += 0.2
    answers.get("page", lambda: counted.append(1), 0.1, Burden.NOBODY)
    assert len(counted) == 3


def test_what_comes_from_memory_has_a_time_of_its_own():
    clock, counted = Clock(), []
    answers = Answers(clock)

    def slow():
        clock.now += 0.1
        counted.append(1)

    answers.get("live", slow, burden=Burden.MEMORY)
    answers.get("question", lambda: setattr(clock, "now", clock.now + 50))
    answers.get("live", slow, burden=Burden.MEMORY)
    clock.now += 0.5
    answers.get("live", slow, burden=Burden.MEMORY)
    assert len(counted) == 2
    clock.now += REST * 0.1
    answers.get("live", slow, burden=Burden.MEMORY)
    assert len(counted) == 3


def test_one_works_and_the_others_have_the_last_answer():
    clock = Clock()
    answers = Answers(clock)
    answers.get("key", lambda: "old")
    clock.now += LEAST_S * 2
    begun, may_end, shown = threading.Event(), threading.Event(), []

    def slow():
        begun.set()
        may_end.wait(10)
        return "new"

    worker = threading.Thread(target=lambda: shown.append(answers.get("key", slow)))
    worker.start()
    begun.wait(10)
    assert answers.get("key", lambda: "never") == "old"
    may_end.set()
    worker.join(10)
    assert shown == ["new"]


def test_an_answer_from_long_ago_is_waited_for():
    clock = Clock()
    answers = Answers(clock)
    answers.get("key", lambda: "old")
    clock.now += STALE_S
    begun, may_end, shown = threading.Event(), threading.Event(), []

    def slow():
        begun.set()
        may_end.wait(10)
        return "new"

    workers = [threading.Thread(target=lambda: shown.append(answers.get("key", slow))) for _ in range(2)]
    workers[0].start()
    begun.wait(10)
    workers[1].start()
    may_end.set()
    for worker in workers:
        worker.join(10)
    assert shown == ["new", "new"]


def test_a_failure_is_told_to_who_waits_and_not_remembered():
    answers = Answers(Clock())

    def fail():
        raise ValueError("away")

    with pytest.raises(ValueError, match="away"):
        answers.get("key", fail)
    assert answers.get("key", lambda: 1) == 1


def test_memory_is_bounded():
    answers = Answers(Clock())
    for number in range(MOST + 10):
        answers.get(number, lambda: 1)

    assert answers.get(0, lambda: "again") == "again"
    assert answers.get(MOST, lambda: "again") == 1
