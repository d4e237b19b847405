"""How often a cascade's verifier was wrong, from the ledger: over all workers, and before a restart too."""

from datetime import datetime

import msgspec

from modicum.ledger.store import Store
from modicum.routing.rule import CASCADE_FAMILY
from modicum.statistics.proportions import wilson


class VerifierErrors(msgspec.Struct, frozen=True, kw_only=True):
    """Of tasks that began at a cheap model. A refused answer was judged by nobody else, so of refusals that were wrong
    nothing is known: they cost dollars, and no outcome.
    """

    tasks: int
    tasks_refused: int
    """With an answer that was not believed."""
    graded: int
    """All of their answers were believed, and they have the outcome."""
    wrong: int
    """Of these, those that failed: what the verifier let pass, and what no model would have solved."""
    wrong_low: float | None
    """Share of the graded that failed, 95 % interval (Wilson); None where nothing is graded."""
    wrong_high: float | None

    @property
    def share(self) -> float | None:
        return self.wrong / self.graded if self.graded else None


def read_verifier_errors(store: Store, cascade: str, outcome: str, since: datetime) -> VerifierErrors:
    """The errors of a cascade's verifier so far.

    Args:
        store: the ledger.
        cascade: its name in the settings.
        outcome: the outcome by which a task has failed: a value of 0.
        since: calls from then on.
    """
    rows = store.ask("cascade_tasks", tag=CASCADE_FAMILY + cascade, outcome=outcome, since=since)
    believed = [row["value"] for row in rows if not row["refused"]]
    graded = [float(value) for value in believed if value is not None]
    wrong = sum(value <= 0 for value in graded)
    low, high = wilson(wrong, len(graded)) if graded else (None, None)
    return VerifierErrors(
        tasks=len(rows),
        tasks_refused=len(rows) - len(believed),
        graded=len(graded),
        wrong=wrong,
        wrong_low=low,
        wrong_high=high,
    )
