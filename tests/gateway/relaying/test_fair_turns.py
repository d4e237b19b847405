import asyncio

from modicum.gateway.relaying.fair_turns import LONG_BYTES, ROUND_BYTES, FairTurns


async def rounds_of(turns, sizes):
    """In which round of the loop each of so many streams has its turn."""
    number, ends = 0, {}

    async def stream(name, size):
        await turns.wait(size)
        ends[name] = number

    tasks = [asyncio.ensure_future(stream(name, size)) for name, size in enumerate(sizes)]
    while len(ends) < len(sizes):
        await asyncio.sleep(0)
        number += 1
    await asyncio.gather(*tasks)
    return [ends[name] for name in range(len(sizes))]


def test_long_pieces_take_turns_in_the_order_in_which_they_came():
    async def both():
        turns = FairTurns()
        return await rounds_of(turns, [ROUND_BYTES] * 5), await rounds_of(turns, [ROUND_BYTES] * 5)

    for rounds in asyncio.run(both()):
        assert rounds == sorted(rounds)
        assert len(set(rounds)) == 5


def test_pieces_that_fit_into_a_round_go_on_together():
    async def short():
        return await rounds_of(FairTurns(), [LONG_BYTES] * 20)

    assert len(set(asyncio.run(short()))) == 20 * LONG_BYTES // ROUND_BYTES


def test_who_leaves_while_it_waits_takes_no_turn():
    async def left():
        turns = FairTurns()
        waiting = [asyncio.ensure_future(turns.wait(ROUND_BYTES)) for _ in range(50)]
        await asyncio.sleep(0)
        for one in waiting[1:49]:
            one.cancel()
        return await rounds_of(turns, [ROUND_BYTES]), waiting[49].done()

    (rounds, is_over) = asyncio.run(left())
    assert rounds[0] < 10
    assert is_over
