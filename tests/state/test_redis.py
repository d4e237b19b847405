"""Several processes on one server, and the ends of each."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, suppress

import pytest

from modicum.calls import UserError
from modicum.state import redis as redis_state
from modicum.state.counters import Line, StateAway
from modicum.state.redis import RedisCounters
from modicum.state.redis_link import RedisLink
from state.server import running_server

ROOM = Line("a", 10, 100)


@asynccontextmanager
async def two(url, prefix, grace_s=0.0):
    both = RedisCounters(url, "host/a", prefix, grace_s), RedisCounters(url, "host/b", prefix, grace_s)
    for one in both:
        await one.start()
    try:
        yield both
    finally:
        for one in both:
            await one.close()


async def eventually(condition, seconds=20.0):
    async with asyncio.timeout(seconds):
        while not (value := await condition()):  # noqa: ASYNC110 - a server elsewhere
            await asyncio.sleep(0.01)
        return value


def test_two_processes_share_one_limit(server):
    async def many(counters, name):
        tries = [counters.reserve(f"{name}{number}", [ROOM._replace(amount=3)]) for number in range(50)]
        return sum(result.admitted for result in await asyncio.gather(*tries))

    async def both():
        async with two(server.url, "share") as (one, other):
            return sum(await asyncio.gather(many(one, "a"), many(other, "b")))

    assert asyncio.run(both()) == 33


def test_what_a_dead_process_held_counts_as_spent_until_somebody_knows(server, monkeypatch):
    monkeypatch.setattr(redis_state, "LEASE_S", 0.6)

    async def lapse():
        async with two(server.url, "lapse") as (one, other):
            await other.reserve("left", [ROOM])
            other._beating.cancel()  # it lives on, but shows no sign of it

            async def lapsed():
                (level,) = await one.levels([ROOM])
                return level.reserved == 0 and level

            level = await eventually(lapsed)
            late = await other.settle("left", [4])
            return level, late[0]

    level, late = asyncio.run(lapse())
    assert (level.spent, level.reserved) == (10, 0)
    assert (late.spent, late.reserved) == (4, 0)


def test_a_process_that_comes_again_has_everybody_count_anew(server):
    async def come_again():
        async with two(server.url, "again") as (one, other):
            generation = one.generation
            await other.reserve("left", [ROOM])
            other._beating.cancel()
            await other._link.close()
            next_life = RedisCounters(server.url, "host/b", "again", 0.0)
            await next_life.start()
            with pytest.raises(StateAway):
                await one.levels([ROOM])

            async def is_renewed():
                return one.generation != generation

            await eventually(is_renewed)
            levels = await eventually(lambda: levels_or_none(one))
            same = one.generation == next_life.generation
            await next_life.close()
            return levels[0], same

    level, same = asyncio.run(come_again())
    assert same
    assert (level.spent, level.reserved) == (0, 0)


async def levels_or_none(counters):
    try:
        return await counters.levels([ROOM])
    except StateAway:
        return None


@pytest.mark.parametrize("loses", [True, False])
def test_a_server_that_was_killed_has_everybody_count_anew_whether_it_lost_its_data_or_not(loses):
    async def kill(server):
        made_again = []

        async with two(server.url, "kill", grace_s=1.0) as (one, other):

            async def again():
                made_again.append(await other.reserve("runs", [ROOM._replace(limit=None)]))
                await other.report_reserved_again()

            other.when_lost, one.when_lost = again, one.report_reserved_again
            await other.reserve("runs", [ROOM])
            generation = one.generation
            server.kill()
            with pytest.raises(StateAway):
                await one.reserve("now", [ROOM])
            await other.add(ROOM)  # owed, and on record elsewhere before the new generation
            if loses:
                server.lose()
            server.start()
            levels = await eventually(lambda: levels_or_none(one))
            await one.all_reserved_again()
            levels = await one.levels([ROOM])
            return generation != one.generation == other.generation, levels[0], made_again

    with running_server() as server:
        is_new, level, made_again = asyncio.run(kill(server))
    assert is_new
    assert len(made_again) == 1
    assert (level.spent, level.reserved) == (0, 10)


@pytest.mark.parametrize("waits", [True, False])
def test_what_is_settled_while_the_server_does_not_answer_is_made_good(monkeypatch, waits):
    monkeypatch.setattr("modicum.state.redis_link.TIMEOUT_S", 0.3)

    async def freeze(server):
        async with two(server.url, "freeze") as (one, _):
            await one.reserve("runs", [ROOM])
            os.kill(server.process.pid, signal.SIGSTOP)
            nothing = await one.settle("runs", [4], wants_levels=waits)
            await one.add(ROOM._replace(amount=2))
            os.kill(server.process.pid, signal.SIGCONT)

            async def settled():
                levels = await levels_or_none(one)
                return levels and levels[0].spent == 6 and levels[0]

            return nothing, await eventually(settled)

    with running_server() as server:
        nothing, level = asyncio.run(freeze(server))
    assert not nothing
    assert level.reserved == 0


class Cable:
    """Between a process and the server, pulled out once: before what is asked arrives, or before the answer does."""

    def __init__(self, port):
        self._port, self._pulled, self.pulls = port, "", 0

    def pull(self, where):
        self._pulled = where

    @asynccontextmanager
    async def plugged_in(self):
        serving = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        async with serving:
            yield f"redis://127.0.0.1:{serving.sockets[0].getsockname()[1]}/0"

    async def _carry(self, reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        ways = self._pass(reader, back, "asked"), self._pass(there, writer, "answered")
        try:
            await asyncio.gather(*ways)
        finally:
            back.close()
            writer.close()

    async def _pass(self, one, other, where):
        with suppress(ConnectionError):
            while data := await one.read(65_536):
                if self._pulled == where:
                    self._pulled, self.pulls = "", self.pulls + 1
                    break
                other.write(data)
                await other.drain()
        other.close()


@pytest.mark.parametrize("where", ["asked", "answered"])
def test_what_is_lost_on_its_way_to_or_from_the_server_counts_once(server, where):
    """The server goes on: it has done what was asked, or has never heard of it, and nobody can tell which."""

    async def pulled():
        cable, prefix = Cable(server.port), f"cable-{where}"
        async with cable.plugged_in() as url, two(url, prefix) as (one, _):
            one._beating.cancel()  # its signs of life may be pulled as well, and are not what is looked at
            watching = RedisCounters(server.url, "host/w", prefix, 0.0)
            await watching.start()
            try:
                cable.pull(where)
                with pytest.raises(StateAway):
                    await one.reserve("call", [ROOM])
                one._beating = asyncio.ensure_future(one._beat())
                await eventually(one.back)
                again = await one.reserve("call", [ROOM._replace(amount=60)])
                (held,) = await watching.levels([ROOM])

                one._beating.cancel()
                cable.pull(where)
                await one.settle("call", [4])
                cable_cut = cable.pulls
                one._beating = asyncio.ensure_future(one._beat())

                async def settled():
                    (level,) = await watching.levels([ROOM])
                    return not level.reserved and level

                await eventually(settled)
                await one.add(ROOM._replace(amount=3))
                await eventually(one.back)
                (ended,) = await watching.levels([ROOM])
                return cable_cut, again, held, ended
            finally:
                await watching.close()

    cut, again, held, ended = asyncio.run(pulled())
    assert cut == 2
    assert (again.admitted, held.reserved) == (True, 60)
    assert (ended.spent, ended.reserved) == (7, 0)


def test_what_nobody_waits_for_goes_in_one_write_with_what_is_asked_next(server, monkeypatch):
    writes = []
    asked = RedisLink._ask_at_once

    async def counted(link, commands, **more):
        writes.append(len(commands))
        return await asked(link, commands, **more)

    async def both():
        async with two(server.url, "one-write") as (one, _):
            one._beating.cancel()  # it asks too
            await one.reserve("limits", [ROOM])
            await one.reserve("budgets", [ROOM._replace(counter="b")])
            monkeypatch.setattr(RedisLink, "_ask_at_once", counted)
            await one.settle("limits", [3], wants_levels=False)
            settled = await one.settle("budgets", [4])
            return settled, await one.levels([ROOM]), writes[:2]

    settled, (limit,), sizes = asyncio.run(both())

    assert [level.spent for level in settled] == [4]
    assert (limit.spent, limit.reserved) == (3, 0)
    assert sizes == [2, 1]


def test_no_server_is_no_reason_not_to_start(server):
    async def start():
        counters = RedisCounters("redis://127.0.0.1:1/0", "host/a")
        await counters.start()
        with pytest.raises(StateAway, match=r"redis://127\.0\.0\.1:1/0"):
            await counters.levels([ROOM])
        await counters.close()

    asyncio.run(start())


async def start_and_close(url, prefix="modicum"):
    counters = RedisCounters(url, "host/a", prefix)
    try:
        await counters.start()
    finally:
        await counters.close()


@pytest.mark.parametrize("foreign", ["text", "list", "hash"])
def test_data_of_another_program_is_refused_and_stays(server, foreign):
    client, key = server.client, "{" + foreign + "}"
    {"text": client.set, "list": client.rpush, "hash": lambda name, value: client.hset(name, value, "1")}[foreign](
        key, "theirs"
    )
    before = client.dump(key)

    with pytest.raises(UserError, match=r"FOREIGN .*set state.prefix to a name that nothing else uses"):
        asyncio.run(start_and_close(server.url, foreign))
    assert client.dump(key) == before


@pytest.mark.parametrize("value", ["text", {"s": "many", "r": "0"}])
def test_data_of_another_program_under_a_counter_stops_it_before_anything_is_written(server, value):
    async def reserve():
        counters = RedisCounters(server.url, "host/a", f"counter{type(value).__name__}", 0.0)
        await counters.start()
        await counters.reserve("first", [ROOM])
        client = server.client
        (key,) = client.keys(f"{{counter{type(value).__name__}}}:*:c:*")
        client.delete(key)
        client.set(key, value) if isinstance(value, str) else client.hset(key, mapping=value)
        before = client.dump(key)
        with pytest.raises(StateAway, match="data of another program"):
            await counters.reserve("next", [Line("other", 1, 10), ROOM])
        (other,) = await counters.levels([Line("other", 0, 10)])
        await counters.close()
        return other.reserved, client.dump(key) == before

    assert asyncio.run(reserve()) == (0, True)


def test_a_server_that_throws_keys_away_is_refused():
    with (
        running_server("--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru") as server,
        pytest.raises(UserError, match="set maxmemory-policy noeviction there"),
    ):
        asyncio.run(start_and_close(server.url))


@pytest.mark.parametrize("url", ["redis://host:port/0", "http://host"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(UserError, match="it looks like redis://host:6379/0"):
        RedisCounters(url, "host/a")


def test_nobody_loads_the_client_who_does_not_use_it():
    script = "import sys, modicum.state.redis; assert 'redis' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def count(former, _now_s):
    return b"%d" % (int(former or b"0") + 1)


def test_two_processes_change_one_value_and_foreign_data_in_its_place_stays(server):
    async def run():
        async with two(server.url, "values") as both:
            await asyncio.gather(*(one.change("x", count, 60.0) for one in both * 40))
            (key,) = server.client.keys("{values}:v:*")
            assert server.client.get(key) == b"80"
            assert 0 < server.client.pttl(key) <= 60_000

            server.client.delete(key)
            assert await both[0].change("x", count, 60.0) == b"1"  # it begins anew
            server.client.delete(key)
            server.client.hset(key, "of", "others")
            with pytest.raises(StateAway, match="data of another program"):
                await both[1].change("x", count, 60.0)
            assert server.client.hgetall(key) == {b"of": b"others"}

    asyncio.run(run())
