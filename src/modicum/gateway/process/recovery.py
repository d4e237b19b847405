"""Calls that a former process had begun come back as unknown: none is lost, and none is booked twice."""

import asyncio
from pathlib import Path

import msgspec

from modicum.calls import Call, UserError
from modicum.gateway.process.log import log
from modicum.gateway.process.workers import journal_name
from modicum.ledger.journal import Journal, Record

RECORDS_WITHIN_S = 5.0


async def recover(journal: Journal) -> None:
    """Books what was left under way."""
    left = journal.left_under_way()
    if not left:
        return
    finished = journal.finished_numbers()
    records = []
    for body in left:
        try:
            number = msgspec.msgpack.decode(body, type=Call).call_id.partition(":")[2]
        except msgspec.DecodeError:
            continue  # half a record: its call had not been sent
        if number not in finished:
            records.append(Record(number, "call", body))
    await journal.recover(records)
    log("recovered", calls=len(records))


async def recover_others(folder: Path, siblings: range) -> None:
    """There were more workers once, or others before an upgrade: what those had under way would otherwise wait until
    there are such again. `siblings` are the places of those that run.
    """
    mine = {journal_name(slot) for slot in siblings}
    for path in folder.glob("*.underway"):  # noqa: ASYNC240 - at the start, before anybody calls
        if path.stem not in mine:
            try:
                journal = Journal(path.parent, path.stem, slots=1)
            except UserError:
                continue  # it still runs
            await recover(journal)
            journal.close()


async def wait_for_records(journal: Journal) -> None:
    """Waits for the records of calls that were cut at the end of the drain. What is not written by then comes back as
    unknown at the next start.
    """
    until = asyncio.get_running_loop().time() + RECORDS_WITHIN_S
    while journal.calls_under_way and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110 - ends with us
        await asyncio.sleep(0.02)
