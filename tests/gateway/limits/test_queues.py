import asyncio

import pytest

from modicum.gateway.limits.queues import LimitQueues


def test_first_come_first_served_and_a_place_is_given_up_with_its_block():
    async def main():
        queues, served = LimitQueues(), []

        async def wait(name):
            async with queues.place("c") as turn:
                turn.until_in(60)
                assert await turn.comes(None)
                served.append(name)

        tasks = []
        for name in "abc":
            tasks.append(asyncio.ensure_future(wait(name)))
            await asyncio.sleep(0)
        assert (queues.length("c"), queues.length("other")) == (3, 0)
        queues.wake(["other", "c"])
        await asyncio.gather(*tasks)
        assert served == ["a", "b", "c"]
        assert queues.length("c") == 0

    asyncio.run(main())


def test_who_waits_in_vain_is_told_when_its_time_is_over():
    async def main():
        queues = LimitQueues()
        async with queues.place("c") as first, queues.place("c") as second:
            first.until_in(60)
            second.until_in(0.05)
            assert not await second.comes(None)

    asyncio.run(main())


def test_one_that_is_cancelled_leaves_its_place_and_wakes_the_next():
    async def main():
        queues = LimitQueues()

        async def wait():
            async with queues.place("c") as turn:
                turn.until_in(60)
                return await turn.comes(30.0)

        first, second = asyncio.ensure_future(wait()), asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await second
        assert queues.length("c") == 0

    asyncio.run(main())
