"""Counters of both kinds, in memory and in a real server, held to the same plain model."""

import asyncio
import secrets
import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from modicum.state.counters import Line
from modicum.state.memory import SLOTS, MemoryCounters
from modicum.state.redis import RedisCounters

LIMITS = {"key": 100, "app": 250, "team": 400}
NESTS = [("key",), ("key", "app"), ("key", "app", "team"), ("team",)]


@pytest.fixture(params=["memory", "redis"])
def kind(request):
    return request.param


@pytest.fixture
def runner():
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def fresh(kind, runner, request):
    """Makes counters that nobody has used."""
    made = []

    def make():
        if kind == "memory":
            return MemoryCounters()
        counters = RedisCounters(request.getfixturevalue("server").url, "host/a", secrets.token_hex(4), grace_s=0)
        made.append(counters)
        runner.run(counters.start())
        return counters

    yield make
    for counters in made:
        runner.run(counters.close())


def test_any_order_of_events_keeps_every_sum_right_and_admits_what_fits(fresh, runner):  # noqa: C901 - a model
    class Nested(RuleBasedStateMachine):
        @initialize()
        def begin(self):
            self.counters = fresh()
            self.spent = dict.fromkeys(LIMITS, 0)
            self.held = {}
            self.number = 0

        def reserved(self, name):
            return sum(amount for names, amount in self.held.values() if name in names)

        def fits(self, names, amount):
            return all(self.spent[name] + self.reserved(name) + amount <= LIMITS[name] for name in names)

        def try_reserve(self, number, names, amount):
            fits = self.fits(names, amount)
            result = runner.run(self.counters.reserve(str(number), [Line(n, amount, LIMITS[n]) for n in names]))

            assert result.admitted == fits
            assert [(level.spent, level.reserved) for level in result.levels] == [
                (self.spent[name], self.reserved(name)) for name in names
            ]
            return fits

        @rule(names=st.sampled_from(NESTS), amount=st.integers(0, 120))
        def reserve(self, names, amount):
            self.number += 1
            if self.try_reserve(self.number, names, amount):
                self.held[self.number] = names, amount

        @rule(data=st.data(), amount=st.integers(0, 120))
        def exchange(self, data, amount):
            if self.held:
                number = data.draw(st.sampled_from(sorted(self.held)))
                names, former = self.held.pop(number)
                self.held[number] = names, amount if self.try_reserve(number, names, amount) else former

        @rule(data=st.data(), share=st.floats(0, 1), waits=st.booleans())
        def settle(self, data, share, waits):
            if self.held:
                number = data.draw(st.sampled_from(sorted(self.held)))
                names, amount = self.held.pop(number)
                cost = int(amount * share)
                levels = runner.run(self.counters.settle(str(number), [cost] * len(names), wants_levels=waits))
                again = runner.run(self.counters.settle(str(number), [cost] * len(names)))
                for name in names:
                    self.spent[name] += cost
                assert [level.spent for level in levels] == [self.spent[name] for name in names if waits]
                assert not again

        @rule(data=st.data())
        def release(self, data):
            if self.held:
                number = data.draw(st.sampled_from(sorted(self.held)))
                del self.held[number]
                runner.run(self.counters.release(str(number)))

        @invariant()
        def sums_are_right_and_within_their_limits(self):
            levels = runner.run(self.counters.levels([Line(name, 0, limit) for name, limit in LIMITS.items()]))
            for level, (name, limit) in zip(levels, LIMITS.items(), strict=True):
                assert (level.spent, level.reserved) == (self.spent[name], self.reserved(name))
                assert level.spent + level.reserved <= limit

    run_state_machine_as_test(Nested, settings=settings(max_examples=25, stateful_step_count=30, deadline=None))


def test_what_slides_remembers_its_length_and_up_to_a_part_more(fresh, runner):
    counters, length_s = fresh(), 600.0
    ages_s = [0, 10, 300, 580, 599, 620, 900]
    for age_s in ages_s:
        runner.run(counters.add(Line("a", 1, None, length_s), age_s))

    (level,) = runner.run(counters.levels([Line("a", 0, None, length_s)]))

    least = sum(age_s < length_s for age_s in ages_s)
    most = sum(age_s <= length_s + length_s / SLOTS for age_s in ages_s)
    assert least <= level.spent <= most
    assert 0 <= level.frees_in_s <= length_s / SLOTS + length_s


def test_what_slides_is_free_again_when_it_says_so(fresh, runner):
    counters = fresh()
    line = Line("a", 5, 5, 0.3)
    runner.run(counters.add(line))
    level = runner.run(counters.levels([line]))[0]
    began = time.monotonic()
    while runner.run(counters.levels([line]))[0].spent:
        assert time.monotonic() < began + 10

    assert level.spent == 5
    assert level.frees_in_s <= 0.31
    assert runner.run(counters.reserve("next", [line])).admitted


def test_a_line_without_a_limit_is_reserved_whatever_was_spent(fresh, runner):
    counters = fresh()

    assert runner.run(counters.reserve("a", [Line("soft", 10**12, None), Line("hard", 1, 1)])).admitted
    assert not runner.run(counters.reserve("b", [Line("soft", 1, None), Line("hard", 1, 1)])).admitted
    assert runner.run(counters.levels([Line("soft", 0, None)]))[0].reserved == 10**12


@pytest.mark.parametrize("limit", [2**53 - 1, 2**53 + 1, 10**18])
def test_the_last_billionth_of_a_dollar_counts(fresh, runner, limit):
    counters = fresh()
    runner.run(counters.add(Line("a", limit - 3, limit)))

    assert not runner.run(counters.reserve("too much", [Line("a", 4, limit)])).admitted
    assert runner.run(counters.reserve("fits", [Line("a", 3, limit)])).admitted
    assert not runner.run(counters.reserve("full", [Line("a", 1, limit)])).admitted


def test_amounts_beyond_all_bounds_are_refused_and_break_no_sum(fresh, runner):
    counters = fresh()

    assert not runner.run(counters.reserve("a", [Line("soft", 10**40, None), Line("hard", 10**40, 10**18)])).admitted
    assert runner.run(counters.reserve("b", [Line("soft", 10**40, None), Line("hard", 1, 1)])).admitted
    assert list(runner.run(counters.settle("b", [0, 0], wants_levels=False))) == []
    assert runner.run(counters.levels([Line("soft", 0, None)]))[0].reserved == 0


def test_names_may_be_anything(fresh, runner):
    counters = fresh()
    for name in ("", "\ud800", "a\x1fb\n\0", "x" * 100_000, "{other}"):
        runner.run(counters.add(Line(name, 1, None)))
        assert runner.run(counters.levels([Line(name, 0, None)]))[0].spent == 1


def test_what_is_added_once_is_added_once(fresh, runner):
    counters = fresh()
    for _ in range(3):
        runner.run(counters.add_once("before", [(Line("a", 7, None), 0.0), (Line("b", 1, None), 0.0)]))

    assert [level.spent for level in runner.run(counters.levels([Line("a", 0, None), Line("b", 0, None)]))] == [7, 1]


def test_a_name_that_was_given_up_counts_anew(fresh, runner):
    counters = fresh()
    first = runner.run(counters.count_since(["a", "b"]))
    again = runner.run(counters.count_since(["a"]))
    runner.run(asyncio.sleep(0.002))  # a moment later by the server's clock, which counts milliseconds
    both = runner.run(counters.count_since(["a", "b"]))

    assert again[0] == both[0] == first[0]
    assert both[1] > first[1]


def test_a_value_that_many_change_at_once_loses_no_change(fresh, runner):
    values, seen = fresh(), []

    def count(former, now_s):
        seen.append(now_s)
        return b"%d" % (int(former or b"0") + 1)

    async def change_often():
        await asyncio.gather(*(values.change("a", count, 60.0) for _ in range(50)))
        return await values.change("a", lambda former, _now_s: former, 60.0), await values.change("b", count, 60.0)

    assert runner.run(change_often()) == (b"50", b"1")
    assert max(seen) - min(seen) < 60  # a clock
