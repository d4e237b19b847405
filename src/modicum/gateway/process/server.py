"""A gateway process: opens its journal, books what a former process left under way, listens, reloads, drains."""

import asyncio
import gc
import os
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

import uvicorn

from modicum.calls import Owner, UserError
from modicum.calls.rule import Rule
from modicum.context.live_turns import LiveTurns
from modicum.experiments.experiment import draw
from modicum.gateway.answering import UpstreamAnswerer
from modicum.gateway.budgets.counting import budgeting_of, check_budget_workers
from modicum.gateway.budgets.live_raises import LiveRaises
from modicum.gateway.budgets.spent import OpenLedger
from modicum.gateway.callers.agent_guard import AgentGuard
from modicum.gateway.callers.live_keys import LiveKeys
from modicum.gateway.callers.owners import Owners
from modicum.gateway.callers.shared_events import SharedEvents
from modicum.gateway.chosen_rules import ChosenRules, split_rules
from modicum.gateway.experimenting import LiveExperiments
from modicum.gateway.failures import Failed, contain_stage
from modicum.gateway.http.app import App
from modicum.gateway.http.body_budget import budget_of
from modicum.gateway.http.cors import Cors
from modicum.gateway.http.hosts import names_of
from modicum.gateway.http.otlp_door import OtlpDoor
from modicum.gateway.http.outcomes import both_graded
from modicum.gateway.in_force import InForce
from modicum.gateway.late_replies import LateReplies
from modicum.gateway.limits.limiting import Limiting
from modicum.gateway.limits.provider_limits import ProviderLimits
from modicum.gateway.live_rates import LiveRates
from modicum.gateway.own_tools.offering import OwnTools
from modicum.gateway.own_tools.tool_use_file import ToolUseFile
from modicum.gateway.parts import Parts
from modicum.gateway.pipeline import Pipeline
from modicum.gateway.policies.authorising import Authorising
from modicum.gateway.policies.taking_over import take_over_policy
from modicum.gateway.process.call_server import CallServer
from modicum.gateway.process.from_settings import upstreams_of
from modicum.gateway.process.guarded_protocol import GuardedProtocol
from modicum.gateway.process.log import log, take_over
from modicum.gateway.process.machine_memory import memory_bytes
from modicum.gateway.process.metrics import Metrics, share
from modicum.gateway.process.open_files import OpenFiles, Shortage, current_limit, raise_limit
from modicum.gateway.process.readiness import Readiness
from modicum.gateway.process.recovery import recover, recover_others, wait_for_records
from modicum.gateway.process.refusals import Refusals, report_end, report_worker
from modicum.gateway.process.settings_stamp import CHANGED, stamp_of
from modicum.gateway.process.tls import TlsListener, listener_of
from modicum.gateway.process.troubles import Troubles, gone_settings
from modicum.gateway.process.workers import ALONE, BOARD, Board, Worker
from modicum.gateway.recording import Recorder
from modicum.gateway.redaction.redacting import Redactor
from modicum.gateway.reply_cache.caching import CachingAnswerer
from modicum.gateway.resilience.attempts import ResilientAnswerer
from modicum.gateway.routes import LiveRoutes
from modicum.gateway.semantic_cache.answering import SemanticAnswerer
from modicum.gateway.upstream_calls import UpstreamCalls
from modicum.gateway.upstreams import Upstreams
from modicum.gateway.warming.keeper import CacheKeeper
from modicum.gateway.warming.lifetimes import CacheLifetimes
from modicum.gateway.warming.sending_pings import may_send, send_ping
from modicum.gateway.warming.short_marks import ShortMarks
from modicum.gateway.warming.written_once import WrittenOnce
from modicum.gateway.websocket.library import has_websockets
from modicum.ledger.batches import BatchFile
from modicum.ledger.events import EventFile
from modicum.ledger.journal import Journal
from modicum.ledger.worker_reports import FOLDER as REPORTS
from modicum.ledger.worker_reports import read_report
from modicum.metering.digests import Digester
from modicum.metering.prices import PriceBook
from modicum.optimizers.all_rules import RULES
from modicum.outbound.event_loop import LOOP_NAME, run_loop
from modicum.outbound.keepalive import Connections
from modicum.outbound.listener import bind_listener
from modicum.settings import Settings, budgets_of, limits_of, policies_of, rule_choice_of
from modicum.settings.addresses import host_and_port
from modicum.settings.optimize import CacheTtlChoice

if TYPE_CHECKING:  # it loads numpy, for whoever has teams
    from modicum.gateway.teams.teams import Teams

LOOK_EVERY_S = 0.5
"""How soon a changed settings file is seen."""


class Gateway:
    """One process's gateway.

    Args:
        folder: where journal and events are.
        reread: reads the settings anew; raises UserError if they are wrong.
        worker: which of the gateway's processes this is.
        bound: the socket that all of them listen on; None: one of its own.
        rules: run on every call; features that the settings switch on bring rules of their own for calls of theirs.
        prices: opens the prices that rules and budgets may ask for, in a thread, when the first one asks.
        open_ledger: opens the ledger, which budgets ask what was spent before; None: there is none to ask.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        digest_key: bytes,
        reread: Callable[[], Settings],
        *,
        worker: Worker = ALONE,
        bound: socket.socket | None = None,
        rules: Sequence[Rule] = RULES,
        prices: Callable[[], PriceBook] = PriceBook,
        open_ledger: OpenLedger | None = None,
    ) -> None:
        check_budget_workers(settings, worker.count)
        self._prices, self._open_ledger, self._rules = prices, open_ledger, tuple(rules)
        self._settings, self._folder, self._digest_key, self._reread = settings, folder, digest_key, reread
        self._worker, self._bound = worker, bound
        self._events = EventFile(folder / "events.sqlite")
        self._keys = LiveKeys(self._events)
        self._keys_at_ping, self._raises = self._keys(), LiveRaises(self._events)
        self._experiments = LiveExperiments(self._events, digest_key)
        self._routes = LiveRoutes(self._experiments.applied)
        self._stamp = stamp_of(settings)
        self.parts: Parts
        self.pipeline: Pipeline
        self._upstreams: Upstreams
        self._resilient: ResilientAnswerer
        self._caching: CachingAnswerer
        self._meanings: SemanticAnswerer
        self._teams: Teams | None = None
        self._troubles = Troubles()
        self._tools = ToolUseFile(folder, digest_key, is_alone=worker.count == 1)
        self._app: App | None = None
        self._tls: TlsListener | None = None
        self.server: CallServer | None = None
        """Once it listens."""

    async def serve(self) -> None:
        """Until SIGTERM or SIGINT. Calls under way are then given their time.

        Raises:
            UserError: the address is taken, or the journal cannot be used.
        """
        with closing(self._events), ExitStack() as begun:
            await self._serve(begun)

    async def _serve(self, begun: ExitStack) -> None:
        """What `begun` holds is closed if it ends before it listens; afterwards all parts end by themselves."""
        settings = self._settings.gateway
        self._upstreams = upstreams_of(self._settings)
        self._tls = listener_of(self._settings)
        bound = self._bound or bind_listener("gateway.listen", *host_and_port("gateway.listen", settings.listen))
        begun.callback(bound.close)
        slots = -(-settings.most_calls // self._worker.count)
        journal = Journal(self._folder / "journal", self._worker.journal, slots=slots, durable=settings.durable)
        begun.callback(journal.close)
        board = Board(self._folder / BOARD, self._worker)
        begun.callback(board.close)
        await self._recover(journal)
        files, metrics = OpenFiles(current_limit(), slots), Metrics(self._shared_metrics)
        if files.problem:
            log("open_files_short", problem=files.problem)
        self._shortage = Shortage(metrics, files)
        connections = Connections(silence_s=settings.silence_s, out_of_files=self._shortage.upstreams)
        budgets = await budgeting_of(self._settings, journal.path, self._prices, self._open_ledger, metrics.failed)
        refusals = self._refusals_of(metrics)
        rates, turns = LiveRates(self._prices, metrics.failed), LiveTurns() if self._worker.count == 1 else None
        self.parts = parts = Parts(
            journal,
            metrics,
            connections,
            UpstreamCalls(metrics, settings.most_calls, self._worker.count),
            budget_of(settings.most_bodies_mb, settings.most_body_mb, self._worker.count, memory_bytes()),
            Readiness(journal),
            Recorder(journal, Digester(self._digest_key) if settings.anatomy else None, metrics.failed),
            OtlpDoor(journal.path, metrics, refusals),
            LateReplies(journal, budgets.reconcile),
            rates,
            budgets,
            Limiting(budgets.counters),
            ProviderLimits(),
            Authorising(),
            AgentGuard(metrics.failed, self._draw),
            refusals,
            Redactor(self._digest_key),
            BatchFile(self._folder / "batches.sqlite"),
            turns,
            self._keeper_of(rates, turns),
            self._lifetimes_of(rates, turns),
        )
        self._load_features()
        self._connect_answerers(parts)
        await self._take_over_governance()
        self.pipeline = Pipeline(self._in_force(), parts, self._caching)
        begun.pop_all()
        beside = asyncio.gather(*self._beside(board))
        try:
            await self._listen(bound, board)
        finally:
            await _end(beside, parts.metrics.failed)
            await wait_for_records(journal)
            await self._close(board)

    async def _close(self, board: Board) -> None:
        if self._teams is not None:
            self._teams.close()
        self._tools.close()
        report_end(self.parts.refusals, self._folder / REPORTS, self._worker.journal)
        await self.parts.close()
        self.parts.metrics.retire()
        board.close()

    def _beside(self, board: Board) -> Iterator[Coroutine[Any, Any, None]]:
        """What runs beside the calls."""
        yield self._watch(board)
        records = self.parts.budgets.shared_records
        if self._worker.index == 0 and records is not None:
            yield SharedEvents(self._events.path, records).run()

    async def _listen(self, bound: socket.socket, board: Board) -> None:
        settings = self._settings.gateway
        self._app = app = App(
            self.pipeline,
            self.parts,
            board,
            hosts=names_of(settings),
            cors=Cors(settings.cors_origins),
            most_body_bytes=settings.most_body_mb * 1024 * 1024,
            most_upload_bytes=settings.most_upload_mb * 1024 * 1024,
            slow_client_s=settings.slow_client_s,
        )
        self.server = server = CallServer(
            uvicorn.Config(
                app,
                http=GuardedProtocol,
                loop=LOOP_NAME,
                ws="websockets-sansio" if has_websockets() else "none",
                ws_max_size=settings.most_body_mb * 1024 * 1024,
                proxy_headers=False,
                lifespan="off",
                access_log=False,
                log_config=None,
                log_level="error",
                server_header=False,
                date_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=int(settings.drain_s),
                backlog=2048,
            ),
            self.parts,
            board,
            self._shortage,
            self._tls,
        )
        await server.serve(sockets=[bound])

    async def _watch(self, board: Board) -> None:
        """Watches keys and settings, which change while we run. Wrong settings are logged, and the old ones stay."""
        again = asyncio.Event()
        if threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._told_to_reload, again)
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, self._leave)
        pinging: asyncio.Task[None] | None = None
        while True:
            self.parts.update_gauges(self.pipeline.in_force.upstreams)
            if self.server is not None and self.server.started:
                board.tell(self.parts.readiness.state)
                board.tell_connections(self.server.connections)
            await self._report()
            await self._tools.keep()
            with suppress(TimeoutError):
                await asyncio.wait_for(again.wait(), LOOK_EVERY_S)
            if again.is_set() and self._worker.index == 0:  # a worker may have died that nobody starts again
                await recover_others(self._folder / "journal", self._worker.siblings)
            again.clear()
            self._troubles.check(self.parts, self._events, self._keys, self._settings)
            if (stamp := stamp_of(self._settings)) != self._stamp:
                self._stamp = stamp
                await self._reload()
            elif self._tls is not None and self._tls.changed():
                self._renew(self._tls)
            is_new = self._experiments.refresh()
            if self._teams is not None:
                is_new |= self._teams.refresh()
            self._tidy_replies()
            if self.parts.keeper is not None and (pinging is None or pinging.done()):
                pinging = asyncio.create_task(self._ping(self.parts.keeper))
            if is_new:
                self.pipeline.take_over(self._in_force())

    async def _recover(self, journal: Journal) -> None:
        await recover(journal)
        if self._worker.index == 0:
            await recover_others(self._folder / "journal", self._worker.siblings)

    def _refusals_of(self, metrics: Metrics) -> Refusals:
        """Counts on where a former process of this worker ended."""
        former = read_report(self._folder / REPORTS, self._worker.journal)
        return Refusals(metrics.refused, self._settings.metrics.most_owners, former)

    async def _report(self) -> None:
        """What the ledger process shows of this worker."""
        parts, folder = self.parts, self._folder / REPORTS
        circuits, trouble = self._resilient.open_circuits, parts.readiness.unready
        await report_worker(parts.refusals, folder, self._worker.journal, circuits, trouble, parts.metrics.failed)

    def _leave(self) -> None:
        """Others serve from now on: what is connected here is served to its end."""
        if self.server is not None:
            self.server.leave(self._settings.gateway.upgrade_drain_s)

    def _told_to_reload(self, again: asyncio.Event) -> None:
        self._stamp = CHANGED
        again.set()

    async def _reload(self) -> None:
        if gone_settings(self._settings):
            return  # what the next file says, or none, is not what was meant; `Troubles` tells
        try:
            settings = self._reread()
            upstreams = upstreams_of(settings)
            check_budget_workers(settings, self._worker.count)
            if self._tls is not None and settings.gateway.tls_certificate_file:
                self._tls.renew(settings)
        except UserError as error:
            log("settings_kept", error=str(error))
            return
        self._settings, self._upstreams = settings, upstreams
        self._load_features()
        await self._take_over_governance()
        self.pipeline.take_over(self._in_force())
        if self._app is not None:
            self._app.hosts, self._app.cors = names_of(settings.gateway), Cors(settings.gateway.cors_origins)
        log("settings_reloaded", upstreams=sorted(upstream.name for upstream in upstreams))

    async def _take_over_governance(self) -> None:
        """What calls may be, budgets, limits and policies, as the settings say now."""
        settings, admits_when_away = self._settings, self._settings.state.when_away == "admit"
        take_over_policy(self.parts.policies, settings, self._upstreams, self._events, records=self._worker.index == 0)
        budgets = budgets_of(settings.budget, settings.timezone, settings.energy)
        self.parts.budgets.raises = self._raises
        await self.parts.budgets.take_over(budgets, admits_when_away=admits_when_away)
        self.parts.limits.take_over(limits_of(settings.limit), admits_when_away=admits_when_away)
        self._resilient.take_over(policies_of(settings.resilience), self._upstreams)
        self._routes.take_over(self._upstreams)
        self._caching.take_over(settings.reply_cache)
        self._meanings.take_over(settings.semantic_cache)
        self.parts.redactor.take_over(settings.redaction)
        self.parts.agents.take_over(settings.agent_guard if settings.optimize.enabled else ())
        self._beginnings.take_over(settings.optimize)

    def _connect_answerers(self, parts: Parts) -> None:
        """Who answers: from memory the same call first, then one that means the same; then the upstream."""
        self._resilient = ResilientAnswerer(UpstreamAnswerer(parts), parts)
        self._routes.send_by(self._resilient, parts)
        self._beginnings = WrittenOnce(self._resilient, parts.metrics.failed, draw=self._draw)
        self._meanings = SemanticAnswerer(self._beginnings, parts, self._draw)
        self._caching = CachingAnswerer(self._meanings, parts, self._draw)

    def _tidy_replies(self) -> None:
        """What is too old or of a revoked key does not stay in memory."""
        named = {key.owner.key for key in self._keys().in_force()}
        for memory in (self._caching, self._meanings):
            memory.forget(lambda reply: bool(reply.key_name) and reply.key_name not in named)
        self.parts.metrics.reply_cache_bytes.set(self._caching.held_bytes)
        self.parts.metrics.semantic_cache_bytes.set(self._meanings.held_bytes)

    def _keeper_of(self, rates: LiveRates, turns: LiveTurns | None) -> CacheKeeper | None:
        """Who keeps caches warm; None: no process sees all calls of a conversation."""
        settings = self._settings.optimize
        if turns is None:
            if settings.keeps_warm:
                log("keep_warm_off", problem="it needs gateway.workers = 1: several share no conversations")
            return None
        most_bytes = settings.keep_warm_most_mb * 1024 * 1024
        return CacheKeeper(rates, turns, self._keeps_warm_for, most_bytes)

    def _lifetimes_of(self, rates: LiveRates, turns: LiveTurns | None) -> CacheLifetimes | None:
        """Who remembers pauses; None as above."""
        if turns is not None:
            return CacheLifetimes(rates, self._cache_ttl_for)
        if self._settings.optimize.chooses_ttl:
            log("cache_ttl_off", problem="it needs gateway.workers = 1: several share no conversations")
        return None

    def _cache_ttl_for(self, owner: Owner, task: str) -> CacheTtlChoice:
        return self._settings.optimize.cache_ttl_for(owner, task, self._draw)

    def _keeps_warm_for(self, owner: Owner, task: str) -> bool:
        """As the settings say now: a reload replaces them."""
        return self._settings.optimize.keeps_warm_for(owner, task, self._draw)

    async def _ping(self, keeper: CacheKeeper) -> None:
        with contain_stage("keep_warm", self.parts.metrics.failed):
            if (keys := self._keys()) is not self._keys_at_ping:  # some key has come or gone
                self._keys_at_ping = keys
                keeper.forget(lambda one: one.ping is not None and not may_send(self.pipeline, one.ping))
            await keeper.ping_due(time(), partial(send_ping, self.pipeline))

    def _renew(self, tls: TlsListener) -> None:
        try:
            tls.renew(self._settings)
        except UserError as error:
            log("certificate_kept", error=str(error))
        else:
            log("certificate_renewed")

    def _load_features(self) -> None:
        """Routers and plans of teams, if the settings name any (or did). Without their files calls go on."""
        self._routes.load(self._settings)
        if self._teams is None and self._settings.teams:
            from modicum.gateway.teams.teams import Teams  # it loads numpy, which a gateway without teams does without

            try:
                self._teams = Teams(self._folder, self._digest_key, self.parts.metrics.failed)
            except UserError as error:
                log("team_plan_not_applied", problem=str(error))
                return
        if self._teams is not None:
            self._teams.load(self._settings)

    def _in_force(self) -> InForce:
        """What the settings say now."""
        gateway = self._settings.gateway
        owners = Owners(self._keys, self._digest_key, own_keys=gateway.own_keys, plans=gateway.plan_credentials)
        # Before teams: these ask which arm a task is in.
        arms = self._routes.behind(self._experiments.arms)
        always, of_owners = split_rules(self._rules)
        choice = rule_choice_of(self._settings.optimize, self._draw, of_owners) if of_owners else None
        arms = (ChosenRules(choice), *arms) if choice is not None and choice.may_run else arms
        keeper = self.parts.keeper if self._settings.optimize.keeps_warm else None
        lifetimes = self.parts.lifetimes if self._settings.optimize.chooses_ttl else None
        if keeper is not None:
            arms = (*arms, ShortMarks(self._keeps_warm_for))
        if lifetimes is not None:
            arms = (*arms, lifetimes)
        moved, graded, diverts = self._routes.answerers, self._routes.graded, bool(self._settings.resilience)
        in_force = InForce(owners, self._upstreams, arms, always, moved, graded, diverts, keeper, lifetimes)
        if choice is not None and OwnTools.may_offer(choice):
            in_force = in_force._replace(sources=(*arms, OwnTools(choice, self._tools.use)))
        if self._teams is None:
            return in_force
        teams, graded = self._teams.parts, both_graded(self._teams.graded, graded)
        sources = (*arms, *teams.sources, *in_force.sources[len(arms) :])
        return in_force._replace(sources=sources, answerers=(*teams.answerers, *moved), graded=graded)

    def _draw(self, rule: str, task: str) -> float:
        return draw(rule, task, self._digest_key)

    @property
    def _shared_metrics(self) -> Path | None:
        return shared_metrics(self._folder) if self._worker.count > 1 else None


async def _end(beside: "asyncio.Future[list[None]]", failed: Failed) -> None:
    """Ends what runs beside the calls. That it was ended is news to nobody; that it had failed is."""
    beside.cancel()
    with suppress(asyncio.CancelledError), contain_stage("beside", failed):
        await beside


def shared_metrics(folder: Path) -> Path:
    """Where several workers keep their figures."""
    return folder / "metrics"


def run(
    settings: Settings,
    folder: Path,
    digest_key: bytes,
    reread: Callable[[], Settings],
    *,
    worker: Worker = ALONE,
    bound: socket.socket | None = None,
    prices: Callable[[], PriceBook] = PriceBook,
    open_ledger: OpenLedger | None = None,
) -> None:
    """Runs the gateway, or one of its workers, in this process until it is asked to stop."""
    take_over("uvicorn.error", "asyncio")
    raise_limit()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's, if it comes: more take ten times the CPU
    if worker.count > 1:
        share(worker.slot)
    # A call leaves few cycles behind, and what is imported by now stays to the end: to look through it over and over
    # took a tenth of the CPU.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gateway = Gateway(
        settings, folder, digest_key, reread, worker=worker, bound=bound, prices=prices, open_ledger=open_ledger
    )
    run_loop(gateway.serve())
