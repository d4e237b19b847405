"""Prometheus metrics. Labels are bounded: names that callers make up cannot grow them.

Several gateway processes keep their values in mapped files, one set for each worker and not for each process: what a
worker had counted when it died is counted on by its successor, and any of them can tell the sums.
"""

from collections.abc import Mapping
from math import nan
from operator import add, attrgetter
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

from modicum.calls import BUCKETS, Call

MOST_MODELS = 200
MOST_WAITING = 64
"""Calls that are booked at once: more would hold up those that come meanwhile by about a millisecond."""
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)

_Labels = tuple[str, str, str]
"""Of a call: upstream, model, status."""
_CallMetrics = tuple[Counter, Histogram, Histogram, list[Counter]]
"""Of calls with the same labels: how many, how long, how long until the first token, tokens by bucket."""


def share(worker: int) -> None:
    """From here on this process keeps its values where the others find them: in the folder that the environment
    names as PROMETHEUS_MULTIPROC_DIR. Before any `Metrics` is made.
    """
    values.ValueClass = values.MultiProcessValue(process_identifier=lambda: worker)  # type: ignore[no-untyped-call]


class Metrics:
    """The gateway's Prometheus metrics.

    Args:
        shared: the folder in which all workers keep their values; None: they are this process's alone.
    """

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared
        self.registry = CollectorRegistry()
        self._add_call_metrics()
        self._add_limit_metrics()
        self._add_attempt_metrics()
        self._add_record_metrics()
        self._known: dict[_Labels, _CallMetrics] = {}
        self._upstreams: set[str] = set()
        self._event_types: set[str] = set()
        self._models = set() if shared is None else _models_in(shared)
        self._waiting: list[tuple[Call, str]] = []
        self._most_waiting = MOST_WAITING if shared is None else 1

    def _add_call_metrics(self) -> None:
        """Adds the metrics of calls that have ended."""
        self._calls = Counter(
            "modicum_calls", "Calls that have ended.", ("upstream", "model", "status"), registry=self.registry
        )
        self._tokens = Counter(
            "modicum_tokens", "Tokens by bucket; buckets do not overlap.", ("model", "bucket"), registry=self.registry
        )
        self._unknown_events = Counter(
            "modicum_unknown_events",
            "Events of streams of types that this version does not know; they were passed on.",
            ("upstream", "type"),
            registry=self.registry,
        )
        self._duration = Histogram(
            "modicum_call_seconds",
            "From request to end of reply.",
            ("model",),
            registry=self.registry,
            buckets=_SECONDS,
        )
        self._first_token = Histogram(
            "modicum_first_token_seconds",
            "From request to first byte of the reply's body.",
            ("model",),
            registry=self.registry,
            buckets=_SECONDS,
        )

    def _add_limit_metrics(self) -> None:
        """Adds the metrics of what the gateway refuses, and how near it is to its limits."""
        self._refused = Counter("modicum_refused", "Requests that went no further.", ("kind",), registry=self.registry)
        self._full = Counter(
            "modicum_upstream_full",
            "Requests refused because their upstream had as many under way as it may have.",
            ("upstream",),
            registry=self.registry,
        )
        self._at_upstream = Gauge(
            "modicum_upstream_calls_under_way",
            "Requests under way at each upstream.",
            ("upstream",),
            registry=self.registry,
            multiprocess_mode="sum",
        )
        self._upstream_limit = Gauge(
            "modicum_upstream_calls_limit",
            "How many may be under way there.",
            ("upstream",),
            registry=self.registry,
            multiprocess_mode="sum",
        )
        self.bodies_held = Gauge(
            "modicum_request_bytes_held",
            "Bytes of requests under way.",
            registry=self.registry,
            multiprocess_mode="sum",
        )
        self.bodies_limit = Gauge(
            "modicum_request_bytes_limit",
            "How many may be under way.",
            registry=self.registry,
            multiprocess_mode="sum",
        )
        self._out_of_files = Counter(
            "modicum_out_of_files",
            "Connections refused or not made for want of open files.",
            ("side",),
            registry=self.registry,
        )
        for side in ("callers", "upstreams"):
            self._out_of_files.labels(side)

    def _add_attempt_metrics(self) -> None:
        """Adds the metrics of what is sent again, of what providers allow, and of pings."""
        self._attempts_failed = Counter(
            "modicum_attempts_failed",
            "Attempts of calls that failed and were followed by another.",
            ("upstream", "failure", "next"),
            registry=self.registry,
        )
        self._provider_limits = [
            Gauge(name, text, ("upstream", "model", "unit"), registry=self.registry, multiprocess_mode="mostrecent")
            for name, text in (
                ("modicum_provider_limit", "A provider's own limit a minute, as its newest reply says it."),
                ("modicum_provider_limit_left", "What is left of it."),
            )
        ]
        self._circuit_open = Gauge(
            "modicum_circuit_open",
            "Worker processes in which the upstream's circuit is open.",
            ("upstream",),
            registry=self.registry,
            multiprocess_mode="sum",
        )
        self.warm_pings = Gauge("modicum_keep_warm_pings", "Pings that renewed caches.", registry=self.registry)
        self.warm_spent_usd = Gauge("modicum_keep_warm_spent_usd", "What they cost.", registry=self.registry)
        self.warm_saved_usd = Gauge(
            "modicum_keep_warm_saved_usd", "Writes that they saved, before their cost.", registry=self.registry
        )

        self._replies_from_memory = Counter(
            "modicum_reply_cache",
            "Calls whose reply could come from memory: hit and joined were not made, miss was.",
            ("how",),
            registry=self.registry,
        )
        self.reply_cache_bytes = Gauge(
            "modicum_reply_cache_bytes", "Of replies in memory.", registry=self.registry, multiprocess_mode="sum"
        )
        self._answers_from_memory = Counter(
            "modicum_semantic_cache",
            "Questions: same and alike were answered from memory; right, wrong and new were asked, and compared.",
            ("how",),
            registry=self.registry,
        )
        self.semantic_cache_bytes = Gauge(
            "modicum_semantic_cache_bytes",
            "Of answers and vectors in memory.",
            registry=self.registry,
            multiprocess_mode="sum",
        )

    def _add_record_metrics(self) -> None:
        """Adds the metrics of what is under way and of how it is recorded."""
        self.under_way = Gauge(
            "modicum_calls_under_way", "Calls begun and not ended.", registry=self.registry, multiprocess_mode="sum"
        )
        self.waiting = Gauge(
            "modicum_journal_records_waiting",
            "Records not yet on disk.",
            registry=self.registry,
            multiprocess_mode="sum",
        )
        self.healthy = Gauge(
            "modicum_journal_healthy",
            "1: the last commit went through.",
            registry=self.registry,
            multiprocess_mode="min",
        )
        self.failures = Counter(
            "modicum_stage_failures", "A stage failed; the call went on.", ("stage",), registry=self.registry
        )
        self._not_decidable = Counter(
            "modicum_rule_not_decidable",
            "A rule needed to know what its call does not hold; the call went on as it was.",
            ("rule",),
            registry=self.registry,
        )
        self._spans = Counter(
            "modicum_otel_spans_received",
            "Spans and log records that came in over OTLP: those of calls, others, and those that cannot be read.",
            ("what",),
            registry=self.registry,
        )
        for what in ("call", "other", "rejected"):
            self._spans.labels(what)  # a counter that is absent until it counts looks broken

    def record_call(self, call: Call, upstream: str) -> None:
        """The call is in the next `text`. Where nobody but this process tells them, calls wait until somebody asks, or
        until there are many: then what books them is in the processor's cache. Other workers read at any time, and go
        on with what was counted here when this one dies, so that there nothing waits.
        """
        self._waiting.append((call, upstream))
        if len(self._waiting) >= self._most_waiting:
            self.book_calls()

    def book_calls(self) -> None:
        """Brings up to date what is counted of calls."""
        waiting, self._waiting = self._waiting, []
        sums: dict[_Labels, list[int]] = {}
        for call, upstream in waiting:
            key, (_, duration, first_token, _) = self._known_of(call, upstream)
            if call.finished is not None:
                duration.observe((call.finished - call.started).total_seconds())
            if call.first_token is not None:
                first_token.observe((call.first_token - call.started).total_seconds())
            counts = 1, *_counts(call.usage)
            known = sums.get(key)
            sums[key] = list(counts) if known is None else list(map(add, known, counts))
        for key, (ended, *totals) in sums.items():
            calls, _, _, tokens = self._known[key]
            calls.inc(ended)
            for count, counter in zip(totals, tokens, strict=True):
                if count > 0:
                    counter.inc(count)

    def _known_of(self, call: Call, upstream: str) -> tuple[_Labels, _CallMetrics]:
        model = call.model if call.model in self._models or len(self._models) < MOST_MODELS else "other"
        key = upstream, model, call.status.value
        known = self._known.get(key)
        if known is None:
            self._models.add(model)
            known = self._known[key] = (
                self._calls.labels(*key),
                self._duration.labels(model),
                self._first_token.labels(model),
                [self._tokens.labels(model, bucket) for bucket in BUCKETS],
            )
        return key, known

    def unknown_events(self, upstream: str, counts: Mapping[str, int]) -> None:
        """Counts events of a stream of types that nobody here knows."""
        for name, count in counts.items():
            is_room = name in self._event_types or len(self._event_types) < MOST_MODELS
            if is_room:
                self._event_types.add(name)
            self._unknown_events.labels(upstream, name if is_room else "other").inc(count)

    def refused(self, kind: str) -> None:
        """`kind` is one of our own words."""
        self._refused.labels(kind).inc()

    def upstream_full(self, upstream: str) -> None:
        self._full.labels(upstream).inc()

    def retire(self) -> None:
        """Nothing is under way here any more, and nothing is limited: others go on, and the sums are theirs. What was
        counted stays.
        """
        for name in list(self._upstreams):
            self.upstream_gauges(name, 0, 0)
            self.circuit_changed(name, is_open=False)
        for gauge in (self.under_way, self.waiting, self.bodies_held, self.bodies_limit):
            gauge.set(0)
        self.healthy.set(1)

    def upstream_gauges(self, upstream: str, under_way: int, limit: int) -> None:
        self._upstreams.add(upstream)
        self._at_upstream.labels(upstream).set(under_way)
        self._upstream_limit.labels(upstream).set(limit)

    def provider_limit(self, upstream: str, model: str, unit: str, most: int, left: int) -> None:
        for gauge, value in zip(self._provider_limits, (most, left), strict=True):
            gauge.labels(upstream, model, unit).set(value)

    def forget_provider_limit(self, upstream: str, model: str, unit: str) -> None:
        """Nobody knows it any more."""
        for gauge in self._provider_limits:
            gauge.labels(upstream, model, unit).set(nan)  # with several workers nothing can be removed

    def attempt_failed(self, upstream: str, failure: str, step: str) -> None:
        """`failure` and `step` are our own words."""
        self._attempts_failed.labels(upstream, failure, step).inc()

    def circuit_changed(self, upstream: str, is_open: bool) -> None:
        self._circuit_open.labels(upstream).set(is_open)

    def out_of_files(self, side: str) -> None:
        """`side` is `callers` or `upstreams`."""
        self._out_of_files.labels(side).inc()

    def spans_received(self, calls: int, others: int, rejected: int) -> None:
        for what, count in (("call", calls), ("other", others), ("rejected", rejected)):
            self._spans.labels(what).inc(count)

    def failed(self, stage: str) -> None:
        """`stage` is one of our own words."""
        self.failures.labels(stage).inc()

    def reply_from_memory(self, how: str) -> None:
        """`how` is one of our own words."""
        self._replies_from_memory.labels(how).inc()

    def answer_from_memory(self, how: str) -> None:
        """`how` is one of our own words."""
        self._answers_from_memory.labels(how).inc()

    def not_decidable(self, rule: str) -> None:
        """`rule` is the name of one that is installed."""
        self._not_decidable.labels(rule).inc()

    def text(self) -> bytes:
        """All of it; with several workers their sums."""
        self.book_calls()
        if self._shared is None:
            return generate_latest(self.registry)
        every = CollectorRegistry()
        MultiProcessCollector(every, str(self._shared))  # type: ignore[no-untyped-call]
        return generate_latest(every)


_counts = attrgetter(*BUCKETS)


def _models_in(shared: Path) -> set[str]:
    """The models that are counted there already: a worker that is started again may not make up 200 more."""
    metrics = MultiProcessCollector(None, str(shared)).collect()  # type: ignore[no-untyped-call]
    return {sample.labels["model"] for metric in metrics for sample in metric.samples if "model" in sample.labels}
