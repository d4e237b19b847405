"""Experiments in the gateway: which arm a call's task is in, and what that means for the call.

Arms are drawn by task, never by call, with a key: every worker comes to the same one without asking anybody.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from modicum.calls import UserError
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt
from modicum.calls.rule import Rule
from modicum.experiments.decisions import Experiments, read_experiments
from modicum.experiments.experiment import Arm, ChangeKind, Experiment, ExperimentState
from modicum.gateway.exchange import Exchange
from modicum.gateway.optimizing import FeatureFacts
from modicum.gateway.process.log import log
from modicum.ledger.events import EventFile

_TEAM = (b"x-modicum-agent-team", b"x-modicum-team")


class HeldOutTeams(NamedTuple):
    """Teams whose plan does not apply to this call's task."""

    teams: frozenset[str]
    chances: Mapping[str, float]
    """With which chance the lot would hold out each team that is on trial, whether it did or not."""


class TrialArms:
    """Knows the arms of calls (`optimizing.FactSource`).

    Args:
        experiments: those that concern calls.
        key: of the draw.
    """

    name = "experiments"

    def __init__(self, experiments: Sequence[Experiment], key: bytes) -> None:
        self._experiments, self._key = tuple(experiments), key
        self._rules = {one.name: _model_rule(one) for one in experiments if one.kind is ChangeKind.MODEL}

    def facts(self, exchange: Exchange) -> FeatureFacts | None:
        tags: dict[str, str] = {}
        rules: list[Rule] = []
        without: list[str] = []
        held_out: list[str] = []
        chances: dict[str, float] = {}
        for one in self._experiments:
            if not _concerns(one, exchange):
                continue
            arm = self._arm(one, exchange.about.task)
            if arm is not None:
                tags[one.tag] = arm.value
            has_change = one.state is ExperimentState.KEPT or arm is Arm.CHANGED
            if one.kind is ChangeKind.TEAM and arm is not None:
                chances[one.subject] = 1 - (1 - chances.get(one.subject, 0.0)) * (1 - one.hold_out)
            if one.kind is ChangeKind.MODEL:
                rules += [self._rules[one.name]] if has_change else []
            elif not has_change:
                (without if one.kind is ChangeKind.RULE else held_out).append(one.subject)
        if not (tags or rules or without or held_out):
            return None
        known = (HeldOutTeams(frozenset(held_out), chances),) if held_out or chances else ()
        return FeatureFacts(known, tuple(rules), tags, without_rules=frozenset(without))

    def _arm(self, one: Experiment, task: str) -> Arm | None:
        """None: it is not drawn, because the call names no task or the experiment is over."""
        if not task or one.state is not ExperimentState.RUNNING:
            return None
        return one.arm_of(task, self._key)


class LiveExperiments:
    """The experiments in force, as of now.

    Args:
        events: where they are started and ended.
        key: of the draw.
    """

    def __init__(self, events: EventFile, key: bytes) -> None:
        self._events, self._key = events, key
        self._last = -1
        self.arms: TrialArms | None = None
        """None: no experiment concerns any call."""
        self.refresh()

    def applied(self) -> Sequence[Experiment]:
        """Those that change calls now."""
        return self.arms._experiments if self.arms is not None else ()  # noqa: SLF001 - its maker

    def refresh(self) -> bool:
        """Takes over what was decided; whether `arms` are others now. Events that this version cannot read are logged,
        and what was in force stays.
        """
        try:
            last = self._events.last()
        except sqlite3.Error:  # `Troubles` says so
            return False
        if last == self._last:
            return False
        self._last = last
        try:
            state: Experiments = read_experiments(self._events)
        except UserError as error:
            log("experiments_kept", error=str(error))
            return False
        before = tuple(self.applied())
        applied = tuple(state.applied())
        if applied == before:
            return False
        self.arms = TrialArms(applied, self._key) if applied else None
        log("experiments", running=[one.name for one in applied if one.state is ExperimentState.RUNNING])
        return True


def _concerns(one: Experiment, exchange: Exchange) -> bool:
    if one.kind is ChangeKind.MODEL:
        return one.state in {ExperimentState.RUNNING, ExperimentState.KEPT} and one.is_about(exchange.facts.model)
    if one.kind is ChangeKind.TEAM:
        headers = exchange.request.headers
        named = next((headers[name] for name in _TEAM if name in headers), b"")
        return named.decode("utf-8", "replace") == one.subject
    return True


def _model_rule(one: Experiment) -> Rule:
    change = Change(model=one.to, why=f"experiment {one.name}: asks {one.to}")

    def decide(prompt: Prompt, facts: Facts) -> Change:  # noqa: ARG001 - a rule's shape
        return change if one.is_about(facts.model) else NO_CHANGE

    return Rule(one.rule_name, decide)
