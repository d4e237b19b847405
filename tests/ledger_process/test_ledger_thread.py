import asyncio

import pytest

from ledger.test_shipper import call, write
from modicum.calls import UserError
from modicum.ledger_process.ledger_thread import LedgerThread, rest_s
from modicum.metering.prices import PriceBook


class Site:
    """A folder of journals with one call, and a thread for a ledger beside it."""

    def __init__(self, folder):
        self.journals, self.ledger = folder / "journal", folder / "ledger.duckdb"
        self.journals.mkdir()
        write(self.journals, ("1", "call", call("1")))
        self.lines = []
        self.thread = LedgerThread(
            str(self.ledger), self.journals, folder / "events.sqlite", PriceBook(), self.lines.append
        )


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def count(store):
    return sum(row["calls"] for row in store.ask("holdings"))


def test_what_journals_hold_is_in_the_ledger_at_the_end(site):
    async def go():
        held = await site.thread.lend(count)
        await site.thread.close()
        return held

    assert asyncio.run(go()) == 0
    assert site.thread.reason == ""
    assert "the ledger is there" in site.lines

    again = LedgerThread(
        str(site.ledger), site.journals, site.journals.parent / "events.sqlite", PriceBook(), site.lines.append
    )

    async def look():
        held = await again.lend(count)
        await again.close()
        return held

    assert asyncio.run(look()) == 1


def test_work_without_a_ledger_goes_on_while_it_is_away(tmp_path):
    site = Site(tmp_path)
    site.ledger.mkdir()  # no file can be there

    async def go():
        with pytest.raises(UserError, match="ledger"):
            await site.thread.lend(count)
        found = await site.thread.run_without_ledger(lambda: 42)
        await site.thread.close()
        return found

    assert asyncio.run(go()) == 42
    assert any("the ledger is away" in line for line in site.lines)


def test_a_fault_of_the_engine_is_one_line_without_content(site):
    def fail(_store):
        raise RuntimeError("the prompt says: secret")

    async def go():
        with pytest.raises(UserError, match="cannot answer") as refused:
            await site.thread.lend(fail)
        await site.thread.close()
        return str(refused.value)

    assert "secret" not in asyncio.run(go())
    assert not any("secret" in line for line in site.lines)


def test_a_wrong_question_says_what_is_wrong_with_it(site):
    async def go():
        with pytest.raises(KeyError):
            await site.thread.lend(lambda store: store.ask("bill"))
        await site.thread.close()

    asyncio.run(go())


def test_what_comes_now_and_then_is_shipped_at_once_and_what_keeps_coming_in_large_rounds(site):
    assert [rest_s(rounds) for rounds in (0, 1, 2, 3, 4, 5_000)] == [0.25, 0.25, 0.5, 1.0, 2.0, 2.0]

    async def go():
        rounds = []
        for number in ("2", "3", "4"):
            await site.thread.run_without_ledger(site.thread._round)
            rounds.append(site.thread._busy_rounds)
            await asyncio.to_thread(write, site.journals, (number, "call", call(number)))
        await site.thread.close()
        return rounds

    assert asyncio.run(go()) == [1, 2, 3]


def test_days_are_summed_after_rounds_and_a_failure_is_logged_once(site):
    turns = []

    def sum_days(store):
        turns.append(store)
        raise UserError("there is no such zone")

    site.thread.sum_days = sum_days

    async def go():
        for _ in range(2):
            await asyncio.get_running_loop().run_in_executor(site.thread._thread, site.thread._round)
        await site.thread.close()

    asyncio.run(go())
    assert len(turns) == 2
    assert site.lines.count("days are not summed: there is no such zone") == 1
