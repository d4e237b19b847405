"""Routers and changed system prompts in the gateway: each is a rule that runs on calls of an experiment's changed arm,
and on all once it is kept.

Without an experiment they change nothing: what they would save and lose is for a hold-out to say.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from modicum.calls import UserError
from modicum.calls.outside.regular_file import read_named
from modicum.calls.rule import Rule
from modicum.experiments.experiment import ChangeKind, Experiment, ExperimentState
from modicum.gateway.exchange import Exchange
from modicum.gateway.optimizing import FactSource, FeatureFacts
from modicum.gateway.process.log import log
from modicum.gateway.prompts import load_prompts
from modicum.routing.rule import route_rule
from modicum.routing.weights import decode_router
from modicum.settings import Settings

_IN_FORCE = frozenset({ExperimentState.RUNNING, ExperimentState.KEPT})


class Routes:
    """The rules of all routers, for calls that an experiment is about (`optimizing.FactSource`).

    Args:
        rules: of the routers, as `load_routes` makes them.
        experiments: gives those that are applied now.
    """

    name = "routes"

    def __init__(self, rules: Sequence[Rule], experiments: Callable[[], Sequence[Experiment]]) -> None:
        self._rules, self._experiments = tuple(rules), experiments

    def facts(self, exchange: Exchange) -> FeatureFacts | None:  # noqa: ARG002 - a protocol's
        """The rules that an experiment has put in force; which tasks are held out, the experiment says."""
        tried = {one.subject for one in self._experiments() if one.kind is ChangeKind.RULE and one.state in _IN_FORCE}
        rules = tuple(rule for rule in self._rules if rule.name in tried)
        return FeatureFacts(rules=rules) if rules else None


class LiveRoutes:
    """The routers that the settings name now.

    Args:
        experiments: gives those that are applied now.
    """

    def __init__(self, experiments: Callable[[], Sequence[Experiment]]) -> None:
        self._experiments = experiments
        self._routes: Routes | None = None

    def load(self, settings: Settings) -> None:
        rules = (*load_routes(settings), *load_prompts(settings))
        self._routes = Routes(rules, self._experiments) if rules else None

    def behind(self, arms: FactSource | None) -> tuple[FactSource, ...]:
        """The experiments' own knowledge of calls, and behind it that of routers; nothing without an experiment. Both
        stand before teams, which ask which arm a task is in.
        """
        if arms is None:
            return ()
        return (arms, self._routes) if self._routes is not None else (arms,)


def load_routes(settings: Settings) -> tuple[Rule, ...]:
    """The rules of the routers that the settings name. One that cannot be read is logged, and the calls go on as they
    came.
    """
    rules = []
    for name, route in settings.routes.items():
        path = Path(settings.file).parent / route.weights if settings.file else Path(route.weights)
        try:
            router = decode_router(read_named(path), str(path))
        except UserError as error:
            log("route_not_applied", route=name, problem=str(error))
            continue
        rules.append(route_rule(name, router, route.models))
    return tuple(rules)
