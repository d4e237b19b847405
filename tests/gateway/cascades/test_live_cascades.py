"""What is remembered of tasks. The way of calls is in test_moved_calls.py."""

from datetime import UTC, datetime
from types import SimpleNamespace

from modicum.calls import Outcome
from modicum.experiments.experiment import ChangeKind, ExperimentState
from modicum.gateway.cascades.gone_models import GoneModelMemory
from modicum.gateway.cascades.judging import CascadeJudge
from modicum.gateway.cascades.live_cascades import MOST_TASKS, LiveCascade, LiveCascades
from modicum.settings import CascadeSettings, Settings

SETTINGS = CascadeSettings(
    models="gpt-4o", first="mini", verifier="agreement", second="nano", outcome="ok", most_wrong=0.2
)
KEPT = SimpleNamespace(kind=ChangeKind.RULE, subject="cascade.mine", state=ExperimentState.KEPT)


def call(task="", model="gpt-4o", conversation=""):
    about = SimpleNamespace(task=task, conversation=conversation)
    return SimpleNamespace(about=about, facts=SimpleNamespace(model=model), edited=b"{}", route="there", edits=())


def outcome(task, value, name="ok"):
    return Outcome(outcome_id=f"{task}{name}", task=task, name=name, value=value, time=datetime.now(UTC))


def test_a_task_is_given_up_by_its_name_or_else_by_its_conversation():
    cascade = LiveCascade(CascadeJudge("mine", SETTINGS))
    for given_up, later in ((call("t"), call("t")), (call(conversation="c"), call(conversation="c"))):
        assert cascade.concerns(later)
        cascade.refuse(given_up)
        assert not cascade.concerns(later)
    nameless = call()
    cascade.refuse(nameless)
    assert cascade.concerns(nameless)
    assert not cascade.concerns(call(model="other"))


def test_what_is_remembered_is_bounded():
    cascade = LiveCascade(CascadeJudge("mine", SETTINGS))
    for number in range(MOST_TASKS + 1):
        cascade.refuse(call(f"t{number}"))

    assert cascade.concerns(call("t0"))
    assert not cascade.concerns(call("t1"))


def test_only_believed_tasks_grade_a_verifier_each_once(capsys):
    cascade = LiveCascade(CascadeJudge("mine", SETTINGS))
    for number in range(40):
        cascade.believe(call(f"t{number}"))
    cascade.refuse(call("t39"))
    cascade.grade(outcome("t39", 0))
    cascade.grade(outcome("stranger", 0))
    cascade.grade(outcome("t0", 0, "another"))
    assert (cascade.graded, cascade.wrong) == (0, 0)

    for number in range(20):
        cascade.grade(outcome(f"t{number}", number >= 4))
        cascade.grade(outcome(f"t{number}", 0))
    assert (cascade.graded, cascade.wrong, cascade.is_stopped) == (20, 4, False)

    for number in range(20, 39):
        cascade.grade(outcome(f"t{number}", 0))
    assert cascade.is_stopped
    assert not cascade.concerns(call("new"))
    assert "cascade_stopped" in capsys.readouterr().err


def test_a_reload_keeps_what_is_known_of_a_cascade_that_did_not_change():
    cascades = LiveCascades(lambda: [KEPT], GoneModelMemory())
    assert not cascades
    cascades.load(Settings(cascades={"mine": SETTINGS}))
    cascades._cascades[0].refuse(call("t"))
    cascades.load(Settings(cascades={"mine": SETTINGS}))
    assert cascades.facts(call("t")) is None
    assert [rule.name for rule in cascades.facts(call("u")).rules] == ["cascade.mine"]

    cascades.load(Settings(cascades={"mine": CascadeSettings(models="gpt-4o", first="nano", verifier="schema")}))
    assert cascades.facts(call("t")) is None  # no schema is asked for
