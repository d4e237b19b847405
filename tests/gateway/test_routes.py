"""A router in a running gateway: nothing without an experiment, the changed arm within one, all once it is kept."""

from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import openai

from gateway.cascades.cascade_rig import cascading
from gateway.resilience.failing_rig import error
from gateway.rig import DIGEST_KEY, running, wait_until
from gateway.team_rig import mock_provider
from modicum.experiments.decisions import ExperimentEvent
from modicum.experiments.experiment import Arm, ChangeKind, Experiment, ExperimentState
from modicum.gateway.cascades.gone_models import GoneModelMemory
from modicum.gateway.routes import Routes, load_routes
from modicum.ledger.events import EventFile
from modicum.routing.learners.by_name import make_learner
from modicum.routing.training import train_router
from modicum.routing.weights import encode_router
from modicum.settings import GatewaySettings, RouteSettings, Settings, UpstreamSettings
from routing_tables import known_table

EASY, HARD = "name the capital of france and apples", "prove a lemma about rivers and lamps"
TODAY = datetime.now(UTC).date()


def write_router(path):
    table = known_table(600)
    table = type(table)(("gpt-4o-mini", "gpt-4o"), table.prompts, table.outcomes, table.families, table.costs)
    router = train_router(table, make_learner("linear"), "usd", source="", today=TODAY, holds_days=9, loss=0.01).router
    path.write_bytes(encode_router(router))
    return path


@contextmanager
def routing(folder):
    weights = write_router(folder / "router.npz")
    with mock_provider() as mock:

        def settings(port):
            return Settings(
                gateway=GatewaySettings(listen="127.0.0.1:0"),
                upstreams={"openai": UpstreamSettings(url=f"{mock.url}/v1", speaks="openai", models=("gpt-*",))},
                routes={"mine": RouteSettings(weights=str(weights), models="gpt-4o")},
            )

        with running(folder / "gateway", settings) as rig:
            rig.client = openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0)
            with rig.client:
                yield rig


def decide(rig, what, one, **fields):
    events = EventFile(rig.folder / "events.sqlite")
    event = ExperimentEvent(what=what, name=one.name, at=datetime.now(UTC), by="ann", of=one.started_at, **fields)
    events.append("experiment", event)
    events.close()
    arms = rig.gateway._experiments
    wait_until(lambda: arms._last == rig.gateway._events.last())


def ask(rig, task, text):
    reply = rig.client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": text}], extra_headers={"x-modicum-task": task}
    )
    return reply.model


def test_a_router_changes_calls_of_an_experiment_alone(tmp_path):
    with routing(tmp_path) as rig:
        assert ask(rig, "before", EASY) == "gpt-4o"

        one = Experiment(
            name="trial",
            kind=ChangeKind.RULE,
            subject="route.mine",
            outcome="ok",
            margin=0.05,
            started_at=datetime.now(UTC),
        )
        decide(rig, "started", one, definition=one)
        tasks = [f"t{number}" for number in range(30)]
        changed = next(task for task in tasks if one.arm_of(task, DIGEST_KEY) is Arm.CHANGED)
        held_out = next(task for task in tasks if one.arm_of(task, DIGEST_KEY) is Arm.HOLD_OUT)
        assert (ask(rig, changed, EASY), ask(rig, changed, HARD)) == ("gpt-4o-mini", "gpt-4o")
        assert ask(rig, held_out, EASY) == "gpt-4o"

        decide(rig, "kept", one)
        assert ask(rig, held_out, EASY) == "gpt-4o-mini"
        calls = rig.wait_for_records(5)

    assert [[edit.rule for edit in call.edits] for call in calls] == [[], ["route.mine"], [], [], ["route.mine"]]


def test_a_call_whose_chosen_model_has_gone_is_answered_by_the_one_that_it_asked_for(tmp_path):
    routes = {"mine": RouteSettings(weights=str(write_router(tmp_path / "router.npz")), models="gpt-4o")}
    with cascading(tmp_path / "gateway", in_force=False, routes=routes, verifier="schema") as rig:
        rig.put_in_force("route.mine")
        easy = [{"role": "user", "content": EASY}]
        rig.script["cheap"] = [error(404, "", "model_not_found")]
        assert [rig.ask(task, messages=easy).status_code for task in ("t1", "t2")] == [200, 200]
        attempt, call, later = rig.wait_for_records(3)

    assert rig.calls_at == ["cheap", "dear", "dear"]
    assert (attempt.tags["attempt.failed"], call.tags["attempt.kind"]) == ("model_gone", "escalation")
    assert (call.edits, later.edits) == ((), ())


def test_weights_that_cannot_be_read_leave_calls_as_they_came(tmp_path, capsys):
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK")
    settings = Settings(
        routes={
            "broken": RouteSettings(weights=str(broken), models="*"),
            "gone": RouteSettings(weights=str(tmp_path / "gone.npz"), models="*"),
            "fine": RouteSettings(weights=str(write_router(tmp_path / "fine.npz")), models="*"),
        }
    )

    assert [rule.name for rule in load_routes(settings)] == ["route.fine"]


def test_a_router_that_was_rolled_back_is_no_longer_asked(tmp_path):
    settings = Settings(routes={"mine": RouteSettings(weights=str(write_router(tmp_path / "r.npz")), models="*")})
    one = Experiment(
        name="trial",
        kind=ChangeKind.RULE,
        subject="route.mine",
        outcome="ok",
        margin=0.05,
        started_at=datetime.now(UTC),
    )
    for state, count in ((ExperimentState.RUNNING, 1), (ExperimentState.KEPT, 1), (ExperimentState.ROLLED_BACK, 0)):
        trial = SimpleNamespace(kind=one.kind, subject=one.subject, state=state)
        routes = Routes(load_routes(settings), lambda trial=trial: [trial], GoneModelMemory())
        facts = routes.facts(SimpleNamespace(route=None))
        assert len(facts.rules if facts else ()) == count
