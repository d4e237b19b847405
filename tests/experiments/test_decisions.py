from datetime import timedelta

import msgspec
import pytest

from experiments.samples import START, experiment
from modicum.calls import UserError
from modicum.experiments.decisions import ExperimentEvent, Experiments, audit_experiments
from modicum.experiments.experiment import ChangeKind, ExperimentState


def started(one=None):
    one = one or experiment()
    return ExperimentEvent(what="started", name=one.name, at=one.started_at, by="ann", definition=one)


def ended(what, name="cheaper", hours=1, of=START):
    return ExperimentEvent(what=what, name=name, at=START + timedelta(hours=hours), by="ann", why="because", of=of)


def test_the_state_is_the_fold_of_the_events():
    assert [one.name for one in Experiments([started()]).running()] == ["cheaper"]
    (over,) = Experiments([started(), ended("rolled_back"), ended("kept", hours=2)]).all()
    assert (over.state, over.why, over.ended_at) == (ExperimentState.ROLLED_BACK, "because", START + timedelta(hours=1))
    kept = Experiments([started(), ended("kept")])
    assert [one.state for one in kept.applied()] == [ExperimentState.KEPT]
    assert Experiments([started(), ended("kept"), ended("stopped", hours=2)]).applied() == []


def test_safe_is_remembered_and_ends_nothing():
    state = Experiments([started(), ended("safe")])

    assert state.running()
    assert state.why_safe("cheaper") == "because"
    assert Experiments([started(), ended("safe"), started(experiment(margin=0.02))]).why_safe("cheaper") == ""


def test_a_late_end_of_a_former_experiment_does_not_end_a_new_one_of_its_name():
    again = experiment(started_at=START + timedelta(days=1))

    assert Experiments([started(), ended("stopped"), started(again), ended("rolled_back")]).running() == [again]


def test_a_rule_that_was_rolled_back_stays_off_until_something_new_is_started_about_it():
    rule = experiment(kind=ChangeKind.RULE, subject="trim.tools", to="")
    over = Experiments([started(rule), ended("rolled_back")])
    assert [one.state for one in over.applied()] == [ExperimentState.ROLLED_BACK]
    again = msgspec.structs.replace(rule, name="again", started_at=START + timedelta(days=1))
    assert Experiments([started(rule), ended("rolled_back"), started(again)]).applied() == [again]


def test_two_at_once_of_one_name_or_about_the_same_are_refused():
    state = Experiments([started()])

    with pytest.raises(UserError, match="is running"):
        state.check_start(experiment())
    with pytest.raises(UserError, match="could not be told apart"):
        state.check_start(experiment(name="other"))
    state.check_start(experiment(name="other", subject="gpt-4.1"))
    Experiments([started(), ended("stopped")]).check_start(experiment())


def test_one_that_is_not_there_is_said_with_those_that_are():
    with pytest.raises(UserError, match="there are: cheaper"):
        Experiments([started()]).named("dearer")
    with pytest.raises(UserError, match="none was started yet"):
        Experiments().named("dearer")


def test_the_audit_log_has_definition_and_reason():
    first, last = audit_experiments([started(), ended("rolled_back")])

    assert (first.kind, first.what, first.subject, first.by) == ("experiment", "started", "cheaper", "ann")
    assert first.details["to"] == "gpt-4o-mini"
    assert first.details["margin"] == "0.05"
    assert last.details == {"why": "because"}
