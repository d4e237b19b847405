"""What went wrong with the files that the gateway lives on: said in its log at once, and once."""

import sqlite3
from pathlib import Path

from modicum.calls import UserError
from modicum.gateway.callers.live_keys import LiveKeys
from modicum.gateway.parts import Parts
from modicum.gateway.process.log import log
from modicum.ledger.events import EventFile
from modicum.ledger.journal import Journal
from modicum.settings import Settings


class Troubles:
    def __init__(self) -> None:
        self._lasting: dict[str, str] = {}
        self._set_aside: set[str] = set()

    def check(self, parts: Parts, events: EventFile, live_keys: LiveKeys, now: Settings) -> None:
        """News of keys; and whether what we live on is still there. Calls go on without keys' and settings' files."""
        keys = events.gone
        try:
            live_keys.check_file()
        except (UserError, sqlite3.Error) as error:
            keys = f"the file of keys {events.path} cannot be read: {error}"
        settings, spans, journal = gone_settings(now), parts.otlp_door.trouble, parts.journal
        for what, reason in (("journal", journal.reason), ("keys", keys), ("settings", settings), ("spans", spans)):
            self.tell(what, reason)
        self.tell_of_set_aside(journal)
        parts.readiness.trouble = keys or settings or spans

    def tell(self, what: str, reason: str) -> None:
        """`what` is one of our own words; an empty reason: nothing is the matter with it."""
        if reason == self._lasting.get(what, ""):
            return
        self._lasting[what] = reason
        if reason:
            log("trouble", what=what, reason=reason)
        else:
            log("trouble_over", what=what)

    def tell_of_set_aside(self, journal: Journal) -> None:
        """Of journals that were broken, what was in them that the ledger does not have."""
        for path in journal.set_aside:
            if str(path) not in self._set_aside:
                self._set_aside.add(str(path))
                log(
                    "journal_set_aside",
                    file=str(path),
                    reason="it was broken, and a new one was begun. What had not been shipped is in the file: "
                    "bring back a backup of it, or see what 'sqlite3 FILE .recover' finds",
                )


def gone_settings(settings: Settings) -> str:
    """Empty: the files that they came from are there."""
    for what, file in (("settings file", settings.file), ("policy", settings.policy_rules.file)):
        if file and not Path(file).exists():
            return f"the {what} {file} has gone: the gateway goes on as it was set; bring the file back"
    return ""
