from types import SimpleNamespace

import pytest

from modicum.gateway.http.refusal import Refused
from modicum.gateway.process.readiness import Readiness
from modicum.gateway.process.workers import State


def test_a_process_takes_calls_unless_it_drains_or_cannot_record_them():
    journal = SimpleNamespace(healthy=True, reason="")
    ready = Readiness(journal)
    ready.check()
    assert (ready.state, ready.unready) == (State.READY, "")

    ready.trouble = "the file of keys is gone"
    ready.check()  # calls go on
    assert (ready.state, ready.unready) == (State.TROUBLED, "the file of keys is gone")

    journal.healthy, journal.reason = False, "disk full"
    assert (ready.state, ready.unready) == (State.NOT_RECORDING, "the journal cannot be written: disk full")
    with pytest.raises(Refused, match="takes no calls"):
        ready.check()

    journal.healthy, ready.draining = True, True
    assert ready.state is State.DRAINING
    with pytest.raises(Refused, match="takes no calls"):
        ready.check()
