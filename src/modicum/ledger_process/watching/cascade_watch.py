"""Cascades whose verifier lets too much pass are stopped, for all workers and for good: their experiment is ended.

A worker counts too, and stops sooner; but it sees only its own calls, and forgets with a restart.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from modicum.calls.words.counted_nouns import number_of
from modicum.experiments.decisions import BY_ITSELF, EVENT_KIND, ExperimentEvent, read_experiments
from modicum.experiments.experiment import ChangeKind, ExperimentState
from modicum.experiments.verifier_errors import read_verifier_errors
from modicum.ledger.events import EventFile
from modicum.ledger.store import Store
from modicum.ledger_process.watching.question_timer import QuestionTimer
from modicum.routing.rule import CASCADE_FAMILY
from modicum.routing.verifiers import is_too_wrong
from modicum.settings.cascades import CascadeSettings

EVERY_S = 60.0


class CascadeWatch:
    """Used by the ledger's thread.

    Args:
        log: takes a line on each cascade that is stopped.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._timer = QuestionTimer()

    def check(self, store: Store, events: EventFile, cascades: Mapping[str, CascadeSettings]) -> None:
        """Looks at the ledger, if it is time again.

        Raises:
            UserError: an event cannot be read, or the ledger not asked.
        """
        limited = {CASCADE_FAMILY + name: (name, one) for name, one in cascades.items() if one.most_wrong > 0}
        if not limited or not self._timer.is_due(EVERY_S):
            return
        for one in read_experiments(events).all():
            is_in_force = one.state in {ExperimentState.RUNNING, ExperimentState.KEPT}
            if one.kind is not ChangeKind.RULE or not is_in_force or one.subject not in limited:
                continue
            name, cascade = limited[one.subject]
            found = read_verifier_errors(store, name, cascade.outcome, one.started_at)
            if not is_too_wrong(found.wrong, found.graded, cascade.most_wrong):
                continue
            why = (
                f"{found.wrong} of {number_of(found.graded, 'task')} that the verifier believed failed by "
                f"'{cascade.outcome}', and "
                f"most_wrong is {cascade.most_wrong:g}"
            )
            now = datetime.now(UTC)
            events.append(
                EVENT_KIND,
                ExperimentEvent(what="stopped", name=one.name, at=now, by=BY_ITSELF, why=why, of=one.started_at),
            )
            self._log(f"cascade '{name}' stopped: {why}")
