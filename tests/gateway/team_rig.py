"""A gateway with a team's plan in front of the mock provider, which remembers what it was asked."""

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime

import uvicorn
import uvloop

from gateway.rig import DIGEST_KEY, running
from modicum.agents.plan_rules import Decision, Drop, Mute
from modicum.agents.team_plan import SCHEMA, TeamPlan, encode_plan
from modicum.calls import Owner
from modicum.gateway.process.mock import MockApp
from modicum.governance.keys import issue
from modicum.ledger.events import EventFile
from modicum.outbound.listener import bind_listener
from modicum.providers.mock.provider import MockProvider
from modicum.settings import GatewaySettings, Settings, TeamSettings, UpstreamSettings

AGENTS = ("planner", "critic", "judge")


def plan(*, agents=AGENTS, rounds=1, drop=(), mute=(), **fields):
    """`drop` holds names or (name, round), `mute` (from, to)."""
    lines = tuple(Drop(agent=one) if isinstance(one, str) else Drop(agent=one[0], round=one[1]) for one in drop)
    mutes = tuple(Mute(source=source, reader=reader) for source, reader in mute)
    fields = {"team": "support", "decision": Decision.REDUCE, "canary_share": 0} | fields
    return TeamPlan(schema=SCHEMA, agents=tuple(agents), rounds=rounds, drop=lines, mute=mutes, **fields)


class RememberingMock(MockApp):
    def __init__(self):
        super().__init__(MockProvider())
        self.asked = []  # the bodies of calls, decoded

    def _answer(self, scope, headers, body):
        if body:
            self.asked.append(json.loads(body))
        return super()._answer(scope, headers, body)


@contextmanager
def mock_provider():
    app = RememberingMock()
    server = uvicorn.Server(
        uvicorn.Config(app, http="httptools", lifespan="off", log_config=None, ws="none", timeout_graceful_shutdown=1)
    )
    bound = bind_listener("test", "127.0.0.1", 0)
    thread = threading.Thread(target=lambda: uvloop.run(server.serve(sockets=[bound])))
    thread.start()
    app.url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    try:
        yield app
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def planned(folder, a_plan, **team):
    """The rig; `rig.mock.asked` is what the provider saw, `rig.plan_file` may be written to."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "plan.json"
    file.write_text(a_plan if isinstance(a_plan, str) else encode_plan(a_plan))
    with mock_provider() as mock:
        more = {"own_keys": True, "pass_headers": ("x-mock-*",)}

        def settings(port):
            return Settings(
                gateway=GatewaySettings(listen="127.0.0.1:0", most_calls=64, slow_client_s=5.0),
                upstreams={
                    "openai": UpstreamSettings(url=f"{mock.url}/v1", speaks="openai", models=("gpt-*",), **more),
                    "anthropic": UpstreamSettings(
                        url=f"{mock.url}/v1", speaks="anthropic", models=("claude-*",), **more
                    ),
                },
                teams={"support": TeamSettings(plan=str(file), **team)},
            )

        held = held_key(folder)
        with running(folder, settings) as rig:
            rig.mock, rig.plan_file, rig.held = mock, file, held
            yield rig


def held_key(folder):
    """A key that may use one model only."""
    events = EventFile(folder / "events.sqlite")
    key, event = issue(Owner(key="held"), ("gpt-4o-mini",), datetime.now(UTC), "test", DIGEST_KEY)
    events.append("key", event)
    events.close()
    return key


def turn(agent, run="run-1", **more):
    """Headers of a turn; `says` is what the mock is to say."""
    headers = {"x-modicum-agent-team": "support", "x-modicum-run": run, "x-modicum-agent": agent}
    if "says" in more:
        headers["x-mock-says"] = more.pop("says")
    return headers | {f"x-modicum-{name}": str(value) for name, value in more.items()}
