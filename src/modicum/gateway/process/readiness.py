"""Whether this process takes calls, and if not, why."""

from modicum.gateway.http.refusal import Refused
from modicum.gateway.process.workers import State
from modicum.ledger.journal import Journal


class Readiness:
    """Set by who drains the process, and by who watches the files that it lives on."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.draining = False
        self.trouble = ""
        """What went wrong beside the journal, so that nobody new should be sent here; calls go on."""

    def check(self) -> None:
        """Whether calls are taken at the moment.

        Raises:
            Refused: no call is taken at the moment.
        """
        if self.draining or not self._journal.healthy:
            raise Refused(503, "the gateway takes no calls at the moment; try again", "unavailable")

    @property
    def state(self) -> State:
        """How this process is."""
        if self.draining:
            return State.DRAINING
        if not self._journal.healthy:
            return State.NOT_RECORDING
        return State.TROUBLED if self.trouble else State.READY

    @property
    def unready(self) -> str:
        """Why this process is not ready, as far as that is its own affair."""
        return f"the journal cannot be written: {self._journal.reason}" if self._journal.reason else self.trouble
