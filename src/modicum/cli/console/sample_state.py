"""What stands beside the logs of the sample shop, so that pages about keys, budgets, energy and decisions show
something: invented, as its logs are.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from modicum.calls import Edit, EnergyWindow, Entry, Owner
from modicum.experiments.decisions import EVENT_KIND, ExperimentEvent, audit_experiments
from modicum.experiments.experiment import Arm, ChangeKind, Experiment
from modicum.governance.keys import KeyEvent, Keys, audit, issue, revoke
from modicum.ledger.events import EventFile
from modicum.ledger.records import AUDIT_EVENTS, ENERGY_WINDOWS
from modicum.ledger.store import Store
from modicum.settings import BudgetSettings, Settings

OPENED = datetime(2026, 3, 2, 8, tzinfo=UTC)
OWNERS = (
    Owner(team="service", app="support-bot", key="support-bot"),
    Owner(team="service", app="returns-desk", key="returns-desk"),
    Owner(team="catalogue", app="copywriters", key="copywriters"),
    Owner(team="finance", app="weekly-report", key="weekly-report"),
)
BUDGETS = (
    BudgetSettings(name="the shop", per="ever", limit_usd=10.0),
    BudgetSettings(name="support", per="ever", limit_usd=0.2, team="service"),
)
ENDED = datetime(2026, 3, 11, 8, tzinfo=UTC)
TRIAL = Experiment(
    name="folded-logs",
    kind=ChangeKind.RULE,
    subject="content.log_fold",
    outcome="resolved",
    margin=0.1,
    estimated_saving=0.35,
    started_at=datetime(2026, 3, 2, tzinfo=UTC),
)
ROUTE = "route.short-texts"
"""Has sent the calls of the copywriters' agents to a small model."""
OWN_SERVER = "shop-shelves-7b"
SERVER_URL = "http://shelves.shop.example:8000"
WATTS = 180.0
LEAST_S = 5.0
"""A window is as long as that at least."""


def with_sample_budgets(settings: Settings) -> Settings:
    """The settings as the shop has them: nothing in the user's own file is meant, and none of it can be changed."""
    return msgspec.structs.replace(settings, budget=BUDGETS, file="")


def add_sample_state(folder: Path, store: Store) -> None:
    """Issues the shop's keys, one of which was revoked, books the energy of its own server, and has its calls say
    through which door they came, of which team of agents and experiment they are, and which server answered. No cost
    becomes another.
    """
    events = EventFile(folder / "events.sqlite")
    try:
        for number, owner in enumerate(OWNERS):
            at = OPENED + timedelta(hours=number)
            events.append("key", issue(owner, (), at, "sam", bytes(64))[1])
        issued = events.read("key", KeyEvent)
        events.append("key", revoke(Keys(issued), "returns-desk", OPENED + timedelta(days=9), "sam"))
        events.append(
            EVENT_KIND, ExperimentEvent(what="started", name=TRIAL.name, at=OPENED, by="sam", definition=TRIAL)
        )
        events.append(
            EVENT_KIND,
            ExperimentEvent(
                what="stopped", name=TRIAL.name, at=ENDED, by="sam", why="the week is over", of=TRIAL.started_at
            ),
        )
        store.append_records(AUDIT_EVENTS, audit(events.read("key", KeyEvent)))
        store.append_records(AUDIT_EVENTS, audit_experiments(events.read(EVENT_KIND, ExperimentEvent)))
    finally:
        events.close()
    store.append_records(ENERGY_WINDOWS, _windows(store))
    completed = (_complete(entry) for page in store.entries() for entry in page)
    store.append([entry for entry in completed if entry is not None])


def _complete(entry: Entry) -> Entry | None:
    """The call with what pages need; None: it stays as its log has it."""
    call, edits = entry.call, tuple[Edit, ...]()
    if call.owner.app == "copywriters" and call.agent:
        tags = {"agent_team": "copywriters", "run": call.task}
        edits = (Edit(ROUTE, why="invented, as all of the sample"),)
    elif call.owner.app == "support-bot":
        arm = Arm.CHANGED if int(call.task.removeprefix("T-")) % 2 else Arm.HOLD_OUT
        tags = {TRIAL.tag: arm.value}
        if arm is Arm.CHANGED:
            edits = (Edit(TRIAL.rule_name, why="invented, as all of the sample"),)
        call = msgspec.structs.replace(call, source="gateway")  # budgets count what goes through it
    elif call.model == OWN_SERVER:
        tags = {"server": SERVER_URL}
    else:
        return None
    grown = msgspec.structs.replace(
        call, tags={**call.tags, **tags}, edits=(*call.edits, *edits), revision=call.revision + 1
    )
    return msgspec.structs.replace(entry, call=grown)


def _windows(store: Store) -> list[EnergyWindow]:
    """One for each call to the shop's own server."""
    windows = []
    for page in store.entries():
        for call in (entry.call for entry in page if entry.call.model == OWN_SERVER):
            finished = call.finished or call.started
            seconds = max(LEAST_S, (finished - call.started).total_seconds())
            windows.append(
                EnergyWindow(
                    started=call.started.timestamp(),
                    seconds=seconds,
                    gpus=("GPU-of-the-sample",),
                    servers=(SERVER_URL,),
                    provider=call.provider,
                    joules=WATTS * seconds,
                    counted=True,
                    generated_tokens=float(call.usage.completion_tokens),
                    prompt_tokens=float(call.usage.prompt_tokens),
                    cached_tokens=0.0,
                    steps=float(call.usage.completion_tokens),
                    running_seconds=seconds,
                    busy_seconds=seconds,
                )
            )
    return windows
