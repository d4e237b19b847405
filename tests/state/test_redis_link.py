"""The connection: what is asked in one moment is answered together, and scripts that were lost are brought again."""

import asyncio

from modicum.state.counters import Line, StateAway
from modicum.state.redis import RedisCounters
from modicum.state.redis_link import place_of


def test_an_address_is_shown_without_its_password():
    assert place_of("redis://user:secret@host:6379/0") == "redis://host:6379/0"


def test_who_goes_away_does_not_keep_others_from_their_answers(server):
    async def leave():
        counters = RedisCounters(server.url, "host/a", "leave", 0.0)
        await counters.start()
        tasks = [asyncio.ensure_future(counters.reserve(f"{number}", [Line("a", 1, 100)])) for number in range(20)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await counters.close()
        return sum(isinstance(one, asyncio.CancelledError) for one in results), sum(
            getattr(one, "admitted", False) for one in results
        )

    assert asyncio.run(leave()) == (1, 19)


def test_scripts_that_the_server_forgot_are_brought_again(server):
    async def forget():
        counters = RedisCounters(server.url, "host/a", "forget", 0.0)
        await counters.start()
        await counters.reserve("1", [Line("a", 1, 10)])
        server.client.script_flush()
        async with asyncio.timeout(20):
            while True:
                try:
                    (level,) = await counters.levels([Line("a", 0, 10)])
                except StateAway:
                    await asyncio.sleep(0.01)
                else:
                    break
        await counters.close()
        return level

    assert asyncio.run(forget()).reserved == 1
