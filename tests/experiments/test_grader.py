import threading
from datetime import timedelta

import pytest

from experiments.samples import KEY, START, experiment
from ledger.samples import entry
from modicum.calls import CallStatus, Edit, Outcome, UserError
from modicum.experiments import grader as grading
from modicum.experiments.decisions import ExperimentEvent, read_experiments
from modicum.experiments.experiment import Arm, ExperimentState
from modicum.experiments.gate import Verdict
from modicum.experiments.grader import Grader, grade_from_ledger, read_tasks
from modicum.ledger.events import EventFile
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES

LATER = START + timedelta(days=30)


@pytest.fixture
def memory():
    opened = open_store(":memory:")
    yield opened
    opened.close()


@pytest.fixture
def events(tmp_path):
    opened = EventFile(tmp_path / "events.sqlite")
    yield opened
    opened.close()


def call(number, task, *, arm="", minutes=0, **fields):
    tags = {"experiment.cheaper": arm} if arm else {}
    return entry(f"c{number}", task=task, started=START + timedelta(minutes=minutes), tags=tags, **fields)


def outcome(task, value, name="resolved", number=0):
    return Outcome(outcome_id=f"{task}/{name}/{number}", task=task, name=name, value=value, time=START)


def test_a_task_has_all_its_calls_one_arm_and_its_outcome(store):
    edit = Edit("experiment.cheaper", None, None, "asks another")
    store.append(
        [
            call(1, "a", arm="changed", minutes=1, edits=(edit,)),
            call(2, "a", minutes=2),
            call(3, "a", arm="changed", minutes=3, status=CallStatus.ERROR, usd=None),
            call(4, "b", arm="hold_out", minutes=4, usd=None),
            call(5, "none of it", minutes=5),
        ]
    )
    store.append_records(OUTCOMES, [outcome("a", 1.0), outcome("a", 0.0, number=1), outcome("a", 7.0, name="lines")])

    first, second = read_tasks(store, experiment(), LATER)

    assert (first.task, first.arm, first.began) == ("a", Arm.CHANGED, START + timedelta(minutes=1))
    assert (first.calls, first.calls_failed, first.calls_concerned, first.calls_applied) == (3, 1, 2, 1)
    assert (first.cost_usd, first.outcome_low, first.outcome_high) == (0.5, 0.0, 1.0)
    assert first.effective_tokens == pytest.approx(25.0)
    assert (second.arm, second.cost_usd, second.outcome_low) == (Arm.HOLD_OUT, None, None)


def test_tasks_that_began_before_are_too_young_or_name_two_arms_are_left_out(memory):
    memory.append(
        [
            call(1, "before", minutes=-1),
            call(2, "before", arm="changed", minutes=1),
            call(3, "young", arm="changed", minutes=59),
            call(4, "both", arm="changed", minutes=1),
            call(5, "both", arm="hold_out", minutes=2),
            call(6, "another arm", arm="third", minutes=2),
            call(7, "right", arm="hold_out", minutes=2),
        ]
    )
    one = experiment(settle_s=600.0)

    assert [task.task for task in read_tasks(memory, one, START + timedelta(hours=1))] == ["right"]
    assert len(read_tasks(memory, one, START + timedelta(hours=2))) == 2


def filled(store, one, *, harm, count=120):
    arms = {f"t{number}": one.arm_of(f"t{number}", KEY) for number in range(count)}
    edit = Edit(one.rule_name, None, None, "asks another")
    store.append(
        [
            call(task, task, arm=arm.value, minutes=index, edits=(edit,) if arm is Arm.CHANGED else ())
            for index, (task, arm) in enumerate(arms.items())
        ]
    )
    store.append_records(
        OUTCOMES,
        [
            outcome(task, float(index % 5 != 0 and not (harm and arm is Arm.CHANGED)))
            for index, (task, arm) in enumerate(arms.items())
        ],
    )


def start(events, one=None):
    one = one or experiment()
    events.append("experiment", ExperimentEvent(what="started", name=one.name, at=START, by="ann", definition=one))
    return one


def test_harm_is_rolled_back_once_with_its_reason(memory, events):
    one, lines = start(events), []
    filled(memory, one, harm=True)
    grader = Grader(events, lines.append)

    grader.grade_running(memory)
    (over,) = read_experiments(events).all()
    Grader(events, lines.append).grade_running(memory)

    assert over.state is ExperimentState.ROLLED_BACK
    assert over.why.startswith("it does harm: outcomes -")
    assert len(lines) == 1
    assert "experiment 'cheaper' rolled back" in lines[0]


def test_a_harmless_one_goes_on_and_is_found_safe_once(memory, events, monkeypatch):
    monkeypatch.setattr(grading, "EVERY_S", 0.0)
    one, lines = start(events, experiment(margin=0.3)), []
    filled(memory, one, harm=False, count=600)
    grader = Grader(events, lines.append)

    grader.grade_running(memory)
    grader.grade_running(memory)

    assert grade_from_ledger(memory, one, LATER).verdict is Verdict.SAFE
    assert read_experiments(events).running()
    assert [line.partition(":")[0] for line in lines] == ["experiment 'cheaper' safe"]


def test_it_is_graded_now_and_then_and_not_at_every_round(memory, events, monkeypatch):
    looks = []
    monkeypatch.setattr(grading, "grade_from_ledger", lambda _, one: looks.append(one) or found)
    found = grade_from_ledger(memory, experiment())
    start(events)
    grader = Grader(events, [].append)

    for _ in range(3):
        grader.grade_running(memory)

    assert len(looks) == 1


def test_grading_that_takes_long_is_done_less_often(memory, events, monkeypatch):
    monkeypatch.setattr(grading, "EVERY_S", 0.0)
    monkeypatch.setattr(grading, "MOST_OF_TIME", 1e-9)
    looks = []
    found = grade_from_ledger(memory, experiment())
    monkeypatch.setattr(grading, "grade_from_ledger", lambda _, one: looks.append(one) or found)
    start(events)
    grader = Grader(events, [].append)

    for _ in range(3):
        grader.grade_running(memory)

    assert len(looks) == 1


def test_an_event_of_a_newer_version_is_said(events):
    events.append("experiment", {"what": "of a newer version"})

    with pytest.raises(UserError, match="newer version of modicum"):
        read_experiments(events)


def test_two_processes_may_append_while_it_is_read(events, tmp_path):
    other = EventFile(tmp_path / "events.sqlite")
    thread = threading.Thread(target=lambda: start(other))
    thread.start()
    thread.join()
    other.close()

    assert read_experiments(events).running()
