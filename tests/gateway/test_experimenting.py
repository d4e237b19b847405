"""Experiments in a running gateway: who is asked, what is tagged, and how it ends by itself."""

from contextlib import contextmanager
from datetime import UTC, datetime

import httpx2 as httpx
import openai
import pytest

from gateway.rig import DIGEST_KEY, running, wait_until
from gateway.team_rig import mock_provider, plan, planned, turn
from ledger_process.rig import LedgerProcess
from modicum.calls.change import Change
from modicum.calls.rule import Rule
from modicum.experiments import grader
from modicum.experiments.decisions import ExperimentEvent, read_experiments
from modicum.experiments.experiment import Arm, ChangeKind, Experiment, ExperimentState
from modicum.ledger.events import EventFile
from modicum.ledger.records import AUDIT_EVENTS
from modicum.ledger_process.client import LedgerProcessStore
from modicum.ledger_process.running import find
from modicum.settings import GatewaySettings, Settings, UpstreamSettings

WHAT = {"name": "trial", "outcome": "resolved", "margin": 0.05}
CUT = Rule("cut.output", lambda prompt, facts: Change(most_output_tokens=7, why="shorter"))  # noqa: ARG005


@contextmanager
def mocked(folder):
    folder.mkdir(parents=True, exist_ok=True)
    with mock_provider() as mock:

        def settings(port):
            return Settings(
                gateway=GatewaySettings(listen="127.0.0.1:0", most_calls=64),
                upstreams={
                    "openai": UpstreamSettings(
                        url=f"{mock.url}/v1", speaks="openai", models=("gpt-*",), pass_headers=("x-mock-*",)
                    )
                },
                models={"cheap": "openai/gpt-4o-mini"},
            )

        with running(folder, settings) as rig:
            rig.mock = mock
            with openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client:
                rig.client = client
                yield rig


def decide(rig, what, one, **fields):
    events = EventFile(rig.folder / "events.sqlite")
    event = ExperimentEvent(what=what, name=one.name, at=datetime.now(UTC), by="ann", of=one.started_at, **fields)
    events.append("experiment", event)
    events.close()
    rig.arms = rig.gateway._experiments
    wait_until(lambda: rig.arms._last == rig.gateway._events.last())


def start(rig, **fields):
    one = Experiment(**WHAT | {"started_at": datetime.now(UTC)} | fields)
    decide(rig, "started", one, definition=one)
    return one


def both_arms(one, count=8):
    """Names of tasks, half of them in each arm."""
    names = [f"t{number}" for number in range(200)]
    arms = [[name for name in names if one.arm_of(name, DIGEST_KEY) is arm][: count // 2] for arm in Arm]
    return [name for pair in zip(*arms, strict=True) for name in pair]


def ask(rig, task="", model="gpt-4o", **headers):
    headers |= {"x-modicum-task": task} if task else {}
    reply = rig.client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Hello"}], extra_headers=headers
    )
    return reply.model


def send_outcome(rig, task, value):
    document = {"task": task, "name": "resolved", "value": value}
    assert httpx.post(f"{rig.url}/outcomes", json=document, headers=rig.headers()).status_code == 200


def test_calls_of_changed_tasks_ask_the_other_model_and_all_say_their_arm(tmp_path):
    with mocked(tmp_path) as rig:
        one = start(rig, kind=ChangeKind.MODEL, subject="gpt-4o", to="cheap")
        arms = {task: one.arm_of(task, DIGEST_KEY) for task in both_arms(one, 12)}
        for task, arm in arms.items():
            assert {ask(rig, task), ask(rig, task)} == {"gpt-4o-mini" if arm is Arm.CHANGED else "gpt-4o"}
        assert ask(rig) == "gpt-4o"  # of no task
        assert ask(rig, "t0", "gpt-4.1") == "gpt-4.1"  # not what it is about
        calls = rig.wait_for_records(26)

    assert [call.tags.get("experiment.trial") for call in calls[:24]] == [
        arm.value for arm in arms.values() for _ in range(2)
    ]
    assert all("experiment.trial" not in call.tags for call in calls[24:])
    edits = {call.task: [edit.rule for edit in call.edits] for call in calls[:24]}
    assert edits == {task: ["experiment.trial"] if arm is Arm.CHANGED else [] for task, arm in arms.items()}


def test_a_caller_cannot_choose_its_arm(tmp_path):
    with mocked(tmp_path) as rig:
        ask(rig, "t", **{"x-modicum-tag-experiment.trial": "hold_out", "x-modicum-tag-mine": "1"})
        (call,) = rig.wait_for_records(1)

    assert (call.tags["mine"], "experiment.trial" in call.tags) == ("1", False)


@pytest.mark.parametrize(("what", "model"), [("stopped", "gpt-4o"), ("rolled_back", "gpt-4o"), ("kept", "gpt-4o-mini")])
def test_its_end_holds_for_all_calls_at_once(tmp_path, what, model):
    with mocked(tmp_path) as rig:
        one = start(rig, kind=ChangeKind.MODEL, subject="gpt-4o", to="gpt-4o-mini")
        decide(rig, what, one)
        assert {ask(rig, f"t{number}") for number in range(6)} | {ask(rig)} == {model}
        assert all("experiment.trial" not in call.tags for call in rig.wait_for_records(7))


def test_a_rule_runs_on_changed_tasks_only_and_on_none_once_it_is_rolled_back(tmp_path):
    with mocked(tmp_path) as rig:
        rig.gateway._rules = (CUT,)
        one = start(rig, kind=ChangeKind.RULE, subject="cut.output")
        tasks = both_arms(one)
        for task in tasks:
            ask(rig, task)
        decide(rig, "rolled_back", one)
        ask(rig, tasks[0])
        cut = [asked.get("max_completion_tokens") or asked.get("max_tokens") for asked in rig.mock.asked]

    assert cut == [7 if one.arm_of(task, DIGEST_KEY) is Arm.CHANGED else None for task in tasks] + [None]


def test_a_team_keeps_everybody_in_tasks_that_are_held_out(tmp_path):
    with planned(tmp_path, plan(drop=["critic"])) as rig:
        one = start(rig, kind=ChangeKind.TEAM, subject="support")
        tasks = both_arms(one)
        with openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client:
            for task in tasks:
                client.chat.completions.create(
                    model="gpt-4o-mini",
                    messages=[{"role": "user", "content": "Hello"}],
                    extra_headers=turn("critic", f"run of {task}", task=task),
                )
        calls = rig.wait_for_records(8)

    assert {call.task: call.tags["plan_arm"] for call in calls} == {
        task: "plan" if one.arm_of(task, DIGEST_KEY) is Arm.CHANGED else "canary" for task in tasks
    }
    assert {call.tags["experiment.trial"] for call in calls} == {"changed", "hold_out"}


def test_events_that_cannot_be_read_leave_what_was_in_force(tmp_path, capfd):
    with mocked(tmp_path) as rig:
        one = start(rig, kind=ChangeKind.MODEL, subject="gpt-4o", to="gpt-4o-mini")
        events = EventFile(rig.folder / "events.sqlite")
        events.append("experiment", {"what": "of a newer version"})
        events.close()
        wait_until(lambda: rig.arms._last == rig.gateway._events.last())
        assert ask(rig, both_arms(one)[0]) == "gpt-4o-mini"

    assert "experiments_kept" in capfd.readouterr().err


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """A gateway before the mock provider, and the ledger process that grades; `graded` plays tasks until it decides."""
    monkeypatch.setattr(grader, "EVERY_S", 0.2)
    with mocked(tmp_path) as rig, LedgerProcess(tmp_path) as ledger:
        rig.ledger = ledger

        def play(worth, count):
            for number in range(count):
                model = ask(rig, f"task {number}")
                cut = rig.mock.asked[-1].get("max_completion_tokens") is not None
                send_outcome(rig, f"task {number}", worth(model, cut, number))

        rig.play = play
        yield rig


def states(rig):
    events = EventFile(rig.folder / "events.sqlite")
    experiments = read_experiments(events)
    events.close()
    return {one.name: one for one in experiments.all()}, experiments.why_safe("trial")


def test_a_rule_that_harms_outcomes_in_secret_rolls_itself_back(judged):
    judged.gateway._rules = (CUT,)
    start(judged, kind=ChangeKind.RULE, subject="cut.output")
    judged.play(lambda _, cut, number: float(not cut and number % 10 != 0), 90)

    wait_until(lambda: states(judged)[0]["trial"].state is ExperimentState.ROLLED_BACK, 20)
    before = len(judged.mock.asked)
    wait_until(lambda: judged.arms._last == judged.gateway._events.last())
    for number in range(6):
        ask(judged, f"afterwards {number}")

    assert all(asked.get("max_completion_tokens") is None for asked in judged.mock.asked[before:])
    store = LedgerProcessStore(find(judged.folder))
    wait_until(lambda: [one for one in store.records(AUDIT_EVENTS) if one.what == "rolled_back"])
    (logged,) = [one for one in store.records(AUDIT_EVENTS) if one.what == "rolled_back"]
    assert logged.details["why"].startswith("it does harm: outcomes -")
    assert logged.by == "modicum"


def test_a_model_that_harms_nothing_is_found_safe_and_kept(judged):
    start(judged, kind=ChangeKind.MODEL, subject="gpt-4o", to="gpt-4o-mini", margin=0.5)
    judged.play(lambda model, cut, number: float(number % 4 != 0), 150)  # noqa: ARG005

    wait_until(lambda: states(judged)[1], 20)
    experiments, why = states(judged)
    assert experiments["trial"].state is ExperimentState.RUNNING
    assert "a loss of 50 points is ruled out" in why
    assert {ask(judged, f"later {number}") for number in range(12)} == {"gpt-4o", "gpt-4o-mini"}


def test_a_model_that_vanished_ends_it_without_a_verdict(judged):
    start(judged, kind=ChangeKind.MODEL, subject="gpt-4o", to="nobody-serves-this")
    judged.play(lambda model, cut, number: float(number % 4 != 0), 60)  # noqa: ARG005

    wait_until(lambda: states(judged)[0]["trial"].state is ExperimentState.STOPPED, 20)
    assert "is the model 'nobody-serves-this' still served" in states(judged)[0]["trial"].why
