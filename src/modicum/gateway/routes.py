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
from modicum.gateway.answering import Answerer
from modicum.gateway.cascades.gone_models import GoneModelMemory
from modicum.gateway.cascades.live_cascades import AskedRoute, LiveCascades
from modicum.gateway.cascades.moved_calls import MovedCalls
from modicum.gateway.exchange import Exchange
from modicum.gateway.http.outcomes import Graded
from modicum.gateway.optimizing import FactSource, FeatureFacts
from modicum.gateway.parts import Parts
from modicum.gateway.process.log import log
from modicum.gateway.prompts import load_prompts, variants_of
from modicum.gateway.resilience.attempts import ResilientAnswerer
from modicum.gateway.upstreams import Upstreams
from modicum.routing.rule import route_rule
from modicum.settings import Settings

_IN_FORCE = frozenset({ExperimentState.RUNNING, ExperimentState.KEPT})


class Routes:
    """The rules of all routers, for calls that an experiment is about (`optimizing.FactSource`).

    Args:
        rules: of the routers, as `load_routes` makes them.
        experiments: gives those that are applied now.
        gone: models that an upstream no longer knows.
    """

    name = "routes"

    def __init__(
        self, rules: Sequence[Rule], experiments: Callable[[], Sequence[Experiment]], gone: GoneModelMemory
    ) -> None:
        self._rules, self._experiments, self._gone = tuple(rules), experiments, gone

    def facts(self, exchange: Exchange) -> FeatureFacts | None:
        """The rules that an experiment has put in force; which tasks are held out, the experiment says."""
        tried = {one.subject for one in self._experiments() if one.kind is ChangeKind.RULE and one.state in _IN_FORCE}
        rules = tuple(rule for rule in self._rules if rule.name in tried)
        return FeatureFacts((AskedRoute(exchange.route), *self._gone.facts()), rules) if rules else None


class LiveRoutes:
    """The routers and cascades that the settings name now.

    Args:
        experiments: gives those that are applied now.
    """

    def __init__(self, experiments: Callable[[], Sequence[Experiment]]) -> None:
        self._experiments = experiments
        self._routes: Routes | None = None
        self._gone = GoneModelMemory()
        self._cascades = LiveCascades(experiments, self._gone)
        self._moved: MovedCalls | None = None

    def send_by(self, upstream: ResilientAnswerer, parts: Parts) -> None:
        """How calls are sent, once the process has what it needs for that."""
        self._moved = MovedCalls(upstream, parts, self._cascades, self._gone)

    def take_over(self, upstreams: Upstreams) -> None:
        """Where calls may go from now on."""
        if self._moved is not None:
            self._moved.take_over(upstreams)

    def load(self, settings: Settings) -> None:
        rules = (*load_routes(settings), *load_prompts(settings), *variants_of(settings))
        self._routes = Routes(rules, self._experiments, self._gone) if rules else None
        self._cascades.load(settings)

    @property
    def answerers(self) -> tuple[Answerer, ...]:
        """Who answers calls that were moved; nobody where none can be."""
        if self._moved is None or (self._routes is None and not self._cascades):
            return ()
        return (self._moved,)

    @property
    def graded(self) -> Graded | None:
        """Who wants to know of outcomes: verifiers, which may have been wrong."""
        return self._cascades.graded if self._cascades else None

    def behind(self, arms: FactSource | None) -> tuple[FactSource, ...]:
        """The experiments' own knowledge of calls, and behind it that of routers and cascades; nothing without an
        experiment. All stand before teams, which ask which arm a task is in.
        """
        if arms is None:
            return ()
        routes = (self._routes,) if self._routes is not None else ()
        return (arms, *routes, *((self._cascades,) if self._cascades else ()))


def load_routes(settings: Settings) -> tuple[Rule, ...]:
    """The rules of the routers that the settings name. One that cannot be read is logged, and the calls go on as they
    came.
    """
    rules = []
    for name, route in settings.routes.items():
        from modicum.routing.weights import decode_router  # it loads numpy

        path = Path(settings.file).parent / route.weights if settings.file else Path(route.weights)
        try:
            router = decode_router(read_named(path), str(path))
        except UserError as error:
            log("route_not_applied", route=name, problem=str(error))
            continue
        rules.append(route_rule(name, router, route.models))
    return tuple(rules)
