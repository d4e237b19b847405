"""What went wrong with the files that the gateway lives on: said in its log at once, and once."""

from modicum.gateway.log import log
from modicum.ledger.journal import Journal


class Troubles:
    def __init__(self) -> None:
        self._lasting: dict[str, str] = {}
        self._set_aside: set[str] = set()

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
