"""Keys, and other decisions of people, of gateways that share state: what one host knows, all know a moment later.

Each host keeps its own file of events, which stays the record; the shared server only hands them on. An event is in
force where it is in the file, so a server that is away or has lost all delays news and takes nothing back.
"""

import asyncio
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import UserError
from modicum.calls.containment import contain
from modicum.gateway.process.log import log
from modicum.governance.budget_raises import EVENT_KIND, RaiseEvent
from modicum.governance.keys import KeyEvent
from modicum.ledger.events import EventFile
from modicum.state.counters import SharedRecords, StateAway

SHARED: Mapping[str, Any] = {"key": KeyEvent, EVENT_KIND: RaiseEvent}
"""Kinds of events that hosts share. Their folds take events in any order, and more than once."""
EVERY_S = 1.0


class SharedEvents:
    """Used by one process of each host.

    Args:
        path: the host's file of events.
        records: what the hosts share.
    """

    def __init__(self, path: Path, records: SharedRecords) -> None:
        self._path, self._records = path, records
        self._own: dict[str, dict[str, str]] = {}
        self._stamp = b""
        self._is_away = False
        self._unreadable: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """For as long as the gateway runs."""
        events = await asyncio.to_thread(EventFile, self._path)
        try:
            while True:
                with contain():  # whatever it is, the next second tries again
                    await self._try(events)
                await asyncio.sleep(EVERY_S)
        finally:
            events.close()

    async def exchange(self, events: EventFile) -> int:
        """Hands on what others lack and takes what is lacking here; how many events that were.

        Raises:
            StateAway: the server cannot be reached.
            UserError: the file cannot be read or written.
        """
        if events.stamp != self._stamp:
            stamp = events.stamp
            self._own = await asyncio.to_thread(_read, events)
            self._stamp = stamp
        count = 0
        for kind, own in self._own.items():
            for name, text in (await self._records.exchange(kind, own)).items():
                count += await self._take(events, kind, name, text)
        return count

    async def _try(self, events: EventFile) -> None:
        problem = ""
        try:
            count = await self.exchange(events)
            if count:
                log("events_taken_over", events=count)
        except (StateAway, UserError, sqlite3.Error) as error:
            problem = str(error)
        if bool(problem) != self._is_away:
            self._is_away = bool(problem)
            log("events_not_shared" if problem else "events_shared_again", problem=problem)

    async def _take(self, events: EventFile, kind: str, name: str, text: str) -> bool:
        if (kind, name) in self._unreadable:
            return False
        try:
            event = msgspec.json.decode(text, type=SHARED[kind])
            is_ours = event.event_id == name
        except msgspec.DecodeError:
            is_ours = False
        if not is_ours:  # of another version, or of somebody else
            self._unreadable.add((kind, name))
            log("event_unreadable", kind=kind, name=name[:100])
            return False
        await asyncio.to_thread(events.append, kind, event)
        self._own[kind][name] = text
        return True


def _read(events: EventFile) -> dict[str, dict[str, str]]:
    return {
        kind: {event.event_id: msgspec.json.encode(event).decode() for event in events.read(kind, type_)}
        for kind, type_ in SHARED.items()
    }
