"""Gateways that share a real server and are killed like it, in any order: no sum is ever too small, nor too large."""

import asyncio
import secrets
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from modicum.calls import Owner
from modicum.gateway.budgets.budgeting import Budgeting
from modicum.gateway.http.refusal import Refused
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import COUNTED_TAG, Amounts, Budget, LimitUnit
from modicum.insights.budgets.spend import FormerSpend
from modicum.state.redis import RedisCounters
from state.server import running_server

LIMIT = 1_000
BUDGET = Budget(name="all", unit=LimitUnit.USD, limit=LIMIT, window=parse_window("ever", "UTC"))
WITHIN_S = 3.0


class Host:
    """A machine with a ledger of its own."""

    def __init__(self, name):
        self.ledger, self.records = name, {}

    def record(self, exchange, amount):
        about, started = exchange.about, datetime.fromtimestamp(exchange.timing.started_s, UTC)
        self.records[exchange.number] = started, about.tags.get(COUNTED_TAG, ""), amount

    def find(self, budget, since, until, counted_in=""):  # noqa: ARG002 - as the ledger is asked
        found = list(self.records.values())
        spent = sum(amount for started, tag, amount in found if since <= started < until and tag != counted_in)
        return [FormerSpend((), 0.0, spent)]


class Prices:
    def worst_at_once(self, exchange):  # noqa: ARG002 - as it is asked
        return None  # so that others come between

    def cost_at_once(self, call):  # noqa: ARG002 - as above
        return None

    async def worst(self, exchange):
        return Amounts(exchange.worst, 0)

    async def cost(self, call):
        return Amounts(call.cost, 0)

    def close(self):
        pass


class Process:
    """One gateway process: its budgets are the real ones, its calls are played."""

    def __init__(self, host, name, url, prefix):
        self.host, self.name, self.url, self.prefix = host, name, url, prefix
        self.running = {}
        self.is_alive = False

    async def start(self):
        for exchange in self.running.values():  # what its former life left
            self.host.record(exchange, exchange.worst)
        self.running = {}
        self.counters = RedisCounters(self.url, self.name, self.prefix)
        await self.counters.start()
        self.budgets = Budgeting(self.counters, Prices(), self.host, lambda _stage: None)
        self.counters.when_lost = self.budgets.renew
        await self.budgets.take_over([BUDGET])
        self.is_alive = True

    async def kill(self):
        self.is_alive = False
        self.counters._beating.cancel()
        if self.budgets._loading is not None:
            self.budgets._loading.cancel()
        await self.counters._link.close()

    async def begin(self, worst):
        """Whether the call is admitted; None: nobody could say."""
        exchange = played_call(worst)
        try:
            async with asyncio.timeout(WITHIN_S):
                await self.budgets.reserve(exchange, None)
        except (Refused, TimeoutError) as refused:
            return False if getattr(refused, "kind", "") in {"budget_exceeded", "budget_busy"} else None
        self.running[exchange.number] = exchange
        return exchange.number

    async def end(self, number, cost):
        exchange = self.running.pop(number)
        exchange.finished = ended(exchange, cost)
        self.host.record(exchange, cost)
        await self.budgets.settle(exchange)


def ended(exchange, cost):
    started = datetime.fromtimestamp(exchange.timing.started_s, UTC)
    return SimpleNamespace(started=started, call_id=exchange.number, calls_count=1, cost=cost)


def played_call(worst):
    return SimpleNamespace(
        number=secrets.token_hex(4),
        worst=worst,
        about=SimpleNamespace(owner=Owner(), task="", tags={}),
        route=SimpleNamespace(model="m"),
        timing=SimpleNamespace(started_s=time.time()),
        answer=SimpleNamespace(status=200),
        facts=SimpleNamespace(most_output_tokens=100, stream=False),
        **dict.fromkeys(("reservation", "finished", "reply", "answered_by", "ceiling")),
        paid=(),
        is_plain=False,
        edits=(),
    )


@pytest.fixture
def quick(monkeypatch):
    for name, seconds in {"GRACE_S": 0.5, "SHORTEST_WAIT_S": 0.4, "BEAT_EVERY_S": 0.05, "LOOK_EVERY_S": 0.01}.items():
        monkeypatch.setattr(f"modicum.state.redis.{name}", seconds)


@pytest.mark.usefixtures("quick")
def test_whatever_is_killed_in_whatever_order_no_call_passes_the_limit_and_none_that_fits_is_refused():  # noqa: C901
    with running_server() as server, asyncio.Runner() as runner:

        class Lives(RuleBasedStateMachine):
            @initialize()
            def begin(self):
                prefix, hosts = secrets.token_hex(4), [Host("one"), Host("other")]
                names = ("one/1", "one/2", "other/1")
                places = (hosts[0], hosts[0], hosts[1])
                self.processes = [Process(*place, server.url, prefix) for place in zip(places, names, strict=True)]
                self.spent = 0
                for process in self.processes:
                    runner.run(process.start())

            def total(self):
                running = (exchange.worst for one in self.processes for exchange in one.running.values())
                return self.spent + sum(running)

            def living(self):
                return [one for one in self.processes if one.is_alive]

            def revive(self):
                for process in self.processes:
                    if not process.is_alive:
                        self.spent += sum(exchange.worst for exchange in process.running.values())
                        runner.run(process.start())

            @rule(data=st.data(), worst=st.integers(1, 400))
            def call(self, data, worst):
                if living := self.living():
                    fits = self.total() + worst <= LIMIT
                    admitted = runner.run(data.draw(st.sampled_from(living)).begin(worst))
                    assert fits or not admitted, "passed its limit"

            @rule(data=st.data(), share=st.floats(0, 1))
            def end(self, data, share):
                if busy := [one for one in self.living() if one.running]:
                    process = data.draw(st.sampled_from(busy))
                    number = data.draw(st.sampled_from(sorted(process.running)))
                    cost = int(process.running[number].worst * share)
                    self.spent += cost
                    runner.run(process.end(number, cost))

            @rule(data=st.data())
            def kill(self, data):
                if living := self.living():
                    runner.run(data.draw(st.sampled_from(living)).kill())

            @rule(loses=st.booleans(), pause_s=st.sampled_from([0.0, 0.2, 0.5]))
            def kill_the_server(self, loses, pause_s):
                server.kill()
                if loses:
                    server.lose()
                server.start()
                runner.run(asyncio.sleep(pause_s))  # some have reserved again, and nothing is loaded yet, or all is

            @rule(data=st.data())
            def ask_for_all_that_is_left(self, data):
                self.revive()
                process = data.draw(st.sampled_from(self.processes))
                left = LIMIT - self.total()

                async def both():
                    too_much = await process.begin(left + 1)
                    fits = await process.begin(left) if left else True
                    return too_much, fits

                too_much, fits = runner.run(both())
                assert too_much is False
                assert fits

            def teardown(self):
                for process in self.living():
                    runner.run(process.kill())

        run_state_machine_as_test(Lives, settings=settings(max_examples=6, stateful_step_count=20, deadline=None))


@pytest.mark.usefixtures("quick")
def test_a_process_that_comes_back_too_late_has_everybody_count_anew(monkeypatch):
    monkeypatch.setattr("modicum.state.redis.LEASE_S", 0.6)

    async def stall(server):
        host = Host("one"), Host("other")
        one, late = (Process(host[n], f"host{n}/1", server.url, "late") for n in (0, 1))
        await one.start()
        await late.start()
        held = await late.begin(700)
        late.counters._beating.cancel()
        await late.counters._link.close()
        server.kill()
        server.lose()
        server.start()
        small = await one.begin(100)  # the lease has ended: it is not waited for
        late.counters._beating = asyncio.ensure_future(late.counters._beat())
        async with asyncio.timeout(5):
            while late.counters.generation != one.counters.generation or not late.counters._link.is_open:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        fits, too_much = await one.begin(200), await one.begin(1)
        await late.end(held, 50)
        after = await one.begin(650)
        for process in (one, late):
            await process.kill()
        return small, fits, too_much, after

    with running_server() as server:
        small, fits, too_much, after = asyncio.run(stall(server))
    assert small
    assert fits
    assert too_much is False
    assert after


@pytest.mark.usefixtures("quick")
def test_who_is_waited_for_is_waited_for_as_well_when_the_server_loses_its_data_once_more():
    async def lose_twice(server):
        one, killed = (Process(Host(name), f"{name}/1", server.url, "twice") for name in ("one", "other"))
        await one.start()
        await killed.start()
        assert await killed.begin(700)
        await killed.kill()
        for _ in range(2):
            generation, peers = one.counters.generation, one.counters._peers
            server.kill()
            server.lose()
            server.start()
            async with asyncio.timeout(5):
                while one.counters.generation == generation or one.counters._peers is peers:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        too_much = await one.begin(400)
        await one.kill()
        return too_much

    with running_server() as server:
        assert not asyncio.run(lose_twice(server))


@pytest.mark.usefixtures("quick")
def test_a_call_that_ends_between_loss_and_loading_counts_once():
    async def lose(server):
        process = Process(Host("one"), "host/1", server.url, "once")
        await process.start()
        held = await process.begin(700)
        tags = process.running[held].about.tags
        server.kill()
        server.lose()
        server.start()
        async with asyncio.timeout(5):
            while COUNTED_TAG not in tags:  # noqa: ASYNC110 - a server elsewhere
                await asyncio.sleep(0.001)
        await process.end(held, 300)
        fits, too_much = await process.begin(700), await process.begin(1)
        await process.kill()
        return fits, too_much

    with running_server() as server:
        fits, too_much = asyncio.run(lose(server))
    assert fits
    assert too_much is False


@pytest.mark.usefixtures("quick")
def test_a_call_whose_record_was_written_when_the_server_was_lost_counts_once():
    """It ended, and is settled only when the new counters are there: the ledger has it."""

    async def lose(server):
        process = Process(Host("one"), "host/1", server.url, "written")
        await process.start()
        held = await process.begin(700)
        exchange = process.running.pop(held)
        exchange.finished = ended(exchange, 300)
        generation = process.counters.generation
        server.kill()
        server.lose()
        server.start()
        async with asyncio.timeout(5):
            while process.counters.generation == generation:  # noqa: ASYNC110 - a server elsewhere
                await asyncio.sleep(0.001)
        process.host.record(exchange, 300)
        await process.budgets.settle(exchange)
        fits, too_much = await process.begin(700), await process.begin(1)
        await process.kill()
        return fits, too_much

    with running_server() as server:
        fits, too_much = asyncio.run(lose(server))
    assert fits
    assert too_much is False
