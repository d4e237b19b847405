"""Counters, held to a plain model."""

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from modicum.state.counters import Line
from modicum.state.memory import SLOTS, SWEEP_EVERY, MemoryCounters


def run(coroutine):
    return asyncio.run(coroutine)


class Clock:
    def __init__(self):
        self.now_s = 1_000_000.0

    def __call__(self):
        return self.now_s


LIMITS = {"key": 100, "app": 250, "team": 400}
NESTS = [("key",), ("key", "app"), ("key", "app", "team"), ("team",)]


class Nested(RuleBasedStateMachine):
    """Calls on nested counters: whatever happens in whatever order, no sum passes its limit unless a call cost more
    than was reserved, and a call that fits is admitted.
    """

    @initialize()
    def begin(self):
        self.counters = MemoryCounters(Clock())
        self.spent = dict.fromkeys(LIMITS, 0)
        self.held = {}
        self.number = 0

    def reserved(self, name):
        return sum(amount for names, amount in self.held.values() if name in names)

    @rule(names=st.sampled_from(NESTS), amount=st.integers(0, 120))
    def reserve(self, names, amount):
        self.number += 1
        fits = all(self.spent[name] + self.reserved(name) + amount <= LIMITS[name] for name in names)
        lines = [Line(name, amount, LIMITS[name]) for name in names]

        assert run(self.counters.reserve(str(self.number), lines)).admitted == fits
        if fits:
            self.held[self.number] = names, amount

    @rule(data=st.data(), amount=st.integers(0, 120))
    def exchange(self, data, amount):
        if not self.held:
            return
        number = data.draw(st.sampled_from(sorted(self.held)))
        names, former = self.held.pop(number)
        fits = all(self.spent[name] + self.reserved(name) + amount <= LIMITS[name] for name in names)

        assert run(self.counters.reserve(str(number), [Line(n, amount, LIMITS[n]) for n in names])).admitted == fits
        self.held[number] = names, amount if fits else former

    @rule(data=st.data(), share=st.floats(0, 1))
    def settle(self, data, share):
        if not self.held:
            return
        number = data.draw(st.sampled_from(sorted(self.held)))
        names, amount = self.held.pop(number)
        cost = int(amount * share)
        for _ in range(data.draw(st.integers(1, 2))):  # twice is once
            run(self.counters.settle(str(number), [cost] * len(names)))
        for name in names:
            self.spent[name] += cost

    @rule(data=st.data())
    def release(self, data):
        if self.held:
            number = data.draw(st.sampled_from(sorted(self.held)))
            del self.held[number]
            run(self.counters.release(str(number)))

    @invariant()
    def sums_are_right_and_within_their_limits(self):
        for name, limit in LIMITS.items():
            (level,) = run(self.counters.levels([Line(name, 0, limit)]))
            assert (level.spent, level.reserved) == (self.spent[name], self.reserved(name))
            assert level.spent + level.reserved <= limit


TestNested = Nested.TestCase
TestNested.settings = settings(max_examples=settings.default.max_examples // 2, stateful_step_count=40, deadline=None)


class Sliding(RuleBasedStateMachine):
    """What a sliding counter holds is never less than what was spent within its length, nor more than within its length
    and one slot.
    """

    LENGTH_S = 600.0

    @initialize()
    def begin(self):
        self.clock = Clock()
        self.counters = MemoryCounters(self.clock)
        self.spends = []

    @rule(amount=st.integers(0, 50), age_s=st.floats(0, 700))
    def add(self, amount, age_s):
        run(self.counters.add(Line("a", amount, None, self.LENGTH_S), age_s))
        self.spends.append((self.clock.now_s - age_s, amount))

    @rule(seconds=st.floats(0, 400))
    def wait(self, seconds):
        self.clock.now_s += seconds

    @invariant()
    def it_holds_what_is_recent(self):
        (level,) = run(self.counters.levels([Line("a", 0, None, self.LENGTH_S)]))
        since = self.clock.now_s - self.LENGTH_S
        least = sum(amount for at, amount in self.spends if at > since)
        most = sum(amount for at, amount in self.spends if at >= since - self.LENGTH_S / SLOTS)
        assert least <= level.spent <= most


TestSliding = Sliding.TestCase
TestSliding.settings = settings(max_examples=settings.default.max_examples // 2, stateful_step_count=30, deadline=None)


def test_when_a_part_of_what_slides_is_free_again():
    clock = Clock()
    counters = MemoryCounters(clock)
    line = Line("a", 5, None, 600.0)
    run(counters.add(line))

    (level,) = run(counters.levels([line]))
    clock.now_s += level.frees_in_s

    assert 600 <= level.frees_in_s <= 610
    assert run(counters.levels([line]))[0].spent == 0


def test_a_line_without_a_limit_is_reserved_whatever_was_spent():
    counters = MemoryCounters()

    assert run(counters.reserve("a", [Line("soft", 10**12, None), Line("hard", 1, 1)])).admitted
    assert not run(counters.reserve("b", [Line("soft", 1, None), Line("hard", 1, 1)])).admitted
    assert run(counters.levels([Line("soft", 0, None)]))[0].reserved == 10**12


def test_counters_that_nobody_uses_any_more_are_forgotten_and_those_with_reservations_stay():
    clock = Clock()
    counters = MemoryCounters(clock)
    run(counters.reserve("runs", [Line("held", 1, None, kept_s=10)]))
    run(counters.add(Line("old", 1, None, kept_s=10)))
    run(counters.add(Line("ever", 1, None)))
    clock.now_s += 11
    for number in range(SWEEP_EVERY):
        run(counters.reserve("again", [Line("now", number, None, kept_s=10)]))

    assert len(counters) == 3
    assert run(counters.levels([Line("ever", 0, None)]))[0].spent == 1
