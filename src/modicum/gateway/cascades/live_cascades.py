"""The cascades that the settings name, for calls that an experiment is about; which tasks stay at the model that they
asked for, and how often a verifier was wrong.

What is remembered is this process's own: another worker learns it from calls of its own.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from modicum.calls import Outcome
from modicum.calls.rule import Rule
from modicum.experiments.experiment import ChangeKind, Experiment, ExperimentState
from modicum.gateway.cascades.gone_models import GoneModelMemory
from modicum.gateway.cascades.judging import CascadeJudge
from modicum.gateway.exchange import Exchange
from modicum.gateway.optimizing import FeatureFacts
from modicum.gateway.process.log import log
from modicum.gateway.upstreams import Route
from modicum.routing.rule import CASCADE_FAMILY, GoneModels, cascade_rule
from modicum.routing.verifiers import is_too_wrong
from modicum.settings import Settings

_IN_FORCE = frozenset({ExperimentState.RUNNING, ExperimentState.KEPT})
MOST_TASKS = 10_000
"""That are remembered, of each kind; the oldest are forgotten first."""


class AskedRoute(NamedTuple):
    """Where a call was going before a router or a cascade moved it."""

    route: Route


class LiveCascade:
    """One cascade, and what it has seen of tasks."""

    def __init__(self, judge: CascadeJudge) -> None:
        settings = judge.settings
        self.judge, self.settings, self.name = judge, settings, judge.name
        self.rule: Rule = cascade_rule(judge.name, settings.first, settings.models)
        self._given_up: OrderedDict[str, None] = OrderedDict()
        self._believed: OrderedDict[str, None] = OrderedDict()
        self.graded = self.wrong = 0
        self.is_stopped = False

    def concerns(self, exchange: Exchange) -> bool:
        """Whether the call may begin at the cheap model. A task that had an answer refused stays where it went."""
        if self.is_stopped or not fnmatchcase(exchange.facts.model, self.settings.models):
            return False
        return task_of(exchange) not in self._given_up and self.judge.can_judge(exchange.edited)

    def refuse(self, exchange: Exchange) -> None:
        """An answer was not believed: later calls of the task do not begin at the cheap model again, since each change
        of model throws a prompt cache away.
        """
        if task := task_of(exchange):
            self._believed.pop(task, None)
            _remember(self._given_up, task)

    def believe(self, exchange: Exchange) -> None:
        if (task := task_of(exchange)) and self.settings.most_wrong > 0:
            _remember(self._believed, task)

    def grade(self, outcome: Outcome) -> None:
        """What came of a task all of whose cheap answers were believed. A verifier that lets too much pass stops the
        cascade.
        """
        if outcome.name != self.settings.outcome or outcome.task not in self._believed:
            return
        del self._believed[outcome.task]
        self.graded += 1
        self.wrong += outcome.value <= 0
        if not self.is_stopped and is_too_wrong(self.wrong, self.graded, self.settings.most_wrong):
            self.is_stopped = True
            log(
                "cascade_stopped",
                cascade=self.name,
                problem=f"{self.wrong} of {self.graded} believed tasks failed, most_wrong {self.settings.most_wrong:g}",
                next="calls go as they came; change the verifier or most_wrong in the settings",
            )


class LiveCascades:
    """Knows which calls begin at a cheap model (`optimizing.FactSource`).

    Args:
        experiments: gives those that are applied now.
    """

    name = "cascades"

    def __init__(self, experiments: Callable[[], Sequence[Experiment]], gone: GoneModelMemory) -> None:
        self._experiments, self._gone = experiments, gone
        self._cascades: tuple[LiveCascade, ...] = ()

    def load(self, settings: Settings) -> None:
        """A cascade whose settings did not change keeps what it remembers."""
        before = {one.name: one for one in self._cascades}
        self._cascades = tuple(
            before[name] if name in before and before[name].settings == one else LiveCascade(CascadeJudge(name, one))
            for name, one in settings.cascades.items()
        )

    def __bool__(self) -> bool:
        return bool(self._cascades)

    def facts(self, exchange: Exchange) -> FeatureFacts | None:
        """The rules that an experiment has put in force; which tasks are held out, the experiment says."""
        tried = {one.subject for one in self._experiments() if one.kind is ChangeKind.RULE and one.state in _IN_FORCE}
        rules = tuple(one.rule for one in self._cascades if one.rule.name in tried and one.concerns(exchange))
        if not rules:
            return None
        gone: tuple[GoneModels, ...] = self._gone.facts()
        return FeatureFacts((AskedRoute(exchange.route), *gone), rules)

    def of_call(self, exchange: Exchange) -> LiveCascade | None:
        """The cascade that has moved a call."""
        moved = next((edit.rule for edit in exchange.edits if edit.rule.startswith(CASCADE_FAMILY)), "")
        return next((one for one in self._cascades if one.rule.name == moved), None) if moved else None

    async def graded(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            for one in self._cascades:
                one.grade(outcome)


def task_of(exchange: Exchange) -> str:
    """What is decided once: the task, or else the conversation. Empty: the caller names neither."""
    return exchange.about.task or exchange.about.conversation


def _remember(tasks: OrderedDict[str, None], task: str) -> None:
    tasks[task] = None
    tasks.move_to_end(task)
    if len(tasks) > MOST_TASKS:
        tasks.popitem(last=False)
