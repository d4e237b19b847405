import pytest

from experiments.samples import START, experiment
from experiments.test_verifier_errors import book_cascade
from modicum.experiments.decisions import EVENT_KIND, ExperimentEvent, read_experiments
from modicum.experiments.experiment import ChangeKind, ExperimentState
from modicum.ledger.events import EventFile
from modicum.ledger.opening import open_store
from modicum.ledger_process.watching import cascade_watch
from modicum.ledger_process.watching.cascade_watch import CascadeWatch
from modicum.settings.cascades import CascadeSettings


@pytest.fixture
def memory():
    opened = open_store(":memory:")
    yield opened
    opened.close()


@pytest.fixture
def events(tmp_path):
    opened = EventFile(tmp_path / "events.sqlite")
    for name in ("json", "other"):
        definition = experiment(name=name, kind=ChangeKind.RULE, subject=f"cascade.{name}", to="")
        opened.append(
            EVENT_KIND,
            ExperimentEvent(what="started", name=name, at=START, by="test", definition=definition),
        )
    opened.append(EVENT_KIND, ExperimentEvent(what="kept", name="json", at=START, by="test"))
    yield opened
    opened.close()


def cascades(most_wrong=0.1):
    one = CascadeSettings(
        models="gpt-4o", first="gpt-4o-mini", verifier="schema", outcome="resolved", most_wrong=most_wrong
    )
    return {"json": one, "other": one}


def states(events):
    return {one.name: one.state for one in read_experiments(events).all()}


def test_a_verifier_that_lets_too_much_pass_ends_its_experiment_for_every_worker_and_for_good(memory, events):
    book_cascade(memory, [["believed"]] * 30, [0.0] * 12 + [1.0] * 18)
    lines = []

    CascadeWatch(lines.append).check(memory, events, cascades())

    assert states(events) == {"json": ExperimentState.STOPPED, "other": ExperimentState.RUNNING}
    assert lines == [
        "cascade 'json' stopped: 12 of 30 tasks that the verifier believed failed by 'resolved', and most_wrong is 0.1"
    ]
    CascadeWatch(lines.append).check(memory, events, cascades())
    assert len(lines) == 1


def test_few_tasks_a_bearable_share_and_no_limit_stop_nothing(memory, events, monkeypatch):
    monkeypatch.setattr(cascade_watch, "EVERY_S", 0.0)
    watch = CascadeWatch(pytest.fail)
    book_cascade(memory, [["believed"]] * 19, [0.0] * 19)
    watch.check(memory, events, cascades())
    watch.check(memory, events, cascades(most_wrong=0.0))
    watch.check(memory, events, {})

    assert states(events)["json"] is ExperimentState.KEPT


def test_the_ledger_is_asked_once_a_minute(memory, events):
    watch = CascadeWatch(pytest.fail)
    watch.check(memory, events, cascades())
    book_cascade(memory, [["believed"]] * 30, [0.0] * 30)
    watch.check(memory, events, cascades())

    assert states(events)["json"] is ExperimentState.KEPT
