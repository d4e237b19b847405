"""A gateway with a cascade that an experiment has kept, in front of upstreams that answer by script."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec

from gateway.policies.policy_rig import policy_settings
from gateway.resilience.failing_rig import FailingRig
from gateway.rig import wait_until
from gateway.scripted import Answer
from modicum.experiments.decisions import ExperimentEvent
from modicum.experiments.experiment import ChangeKind, Experiment
from modicum.ledger.events import EventFile
from modicum.settings import BudgetSettings, CascadeSettings

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
JSON_SHAPE = {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA}}
UPSTREAMS = {
    "cheap": {"models": ("gpt-4o-mini",)},
    "other": {"models": ("gpt-4.1-nano",)},
    "dear": {"models": ("gpt-4o",)},
}
_numbers = iter(range(10**6))


def says(text, finish="stop", status=200, output=5):
    usage = {"prompt_tokens": 10, "completion_tokens": output, "total_tokens": 10 + output}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    head = {
        "id": f"chatcmpl-CascadeReplyNumber{next(_numbers):06d}",
        "object": "chat.completion",
        "model": "gpt-4o-mini",
    }
    return Answer(json.dumps(head | {"choices": [choice], "usage": usage}).encode(), status)


class CascadeRig(FailingRig):
    def __init__(self, folder, cascade, policies=(), budgets=(), routes=None, clauses=()):
        self.clauses = clauses
        self.routes = routes or {}
        self.cascade = {"models": "gpt-4o", "first": "gpt-4o-mini"} | cascade
        super().__init__(folder, policies, UPSTREAMS, [BudgetSettings(**one) for one in budgets])

    def base_settings(self, port):
        return msgspec.structs.replace(
            super().base_settings(port),
            cascades={"mine": CascadeSettings(**self.cascade)},
            routes=self.routes,
            policy_rules=policy_settings(*self.clauses),
        )

    def put_in_force(self, subject="cascade.mine"):
        """An experiment that was kept: all calls have the change."""
        one = Experiment(
            name="trial",
            kind=ChangeKind.RULE,
            subject=subject,
            outcome="ok",
            margin=0.05,
            started_at=datetime.now(UTC),
        )
        events = EventFile(self.folder / "events.sqlite")
        for what, more in (("started", {"definition": one}), ("kept", {})):
            event = ExperimentEvent(what=what, name=one.name, at=datetime.now(UTC), by="ann", of=one.started_at, **more)
            events.append("experiment", event)
        events.close()
        arms = self.gateway._experiments
        wait_until(lambda: arms._last == self.gateway._events.last())

    def ask(self, task="t1", **body):
        headers = {"x-modicum-task": task} if task else {}
        return self.chat(model="gpt-4o", headers=headers, **body)

    def text(self, reply):
        return reply.json()["choices"][0]["message"]["content"]


@contextmanager
def cascading(folder, *, in_force=True, policies=(), budgets=(), routes=None, clauses=(), **cascade):
    folder.mkdir(exist_ok=True)
    rig = CascadeRig(folder, cascade, policies, budgets, routes, clauses)
    rig.start()
    try:
        if in_force:
            rig.put_in_force()
        yield rig
    finally:
        rig.release()
        rig.stop()
