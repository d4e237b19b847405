"""The ledger process's Prometheus metrics: spans sent, and spans that came in."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from modicum.ledger_process.ledger_thread import LedgerThread


class ExportMetrics:
    def __init__(self, ledger: LedgerThread) -> None:
        self.registry = CollectorRegistry()
        self.exported = Counter("modicum_otel_spans_exported", "Spans that the endpoint took.", registry=self.registry)
        self._dropped = Counter(
            "modicum_otel_spans_dropped",
            "Calls that are in the ledger and were not exported. refused: the endpoint did not want them; lost: the "
            "endpoint was away for longer than the journal keeps records; unsampled: their caller does not record "
            "its trace.",
            ("why",),
            registry=self.registry,
        )
        for why in ("refused", "lost", "unsampled"):
            self._dropped.labels(why)
        self.failures = Counter(
            "modicum_otel_export_failures", "Requests that will be tried again.", registry=self.registry
        )
        self.waiting = Gauge(
            "modicum_otel_records_waiting",
            "Records of the journal that the export has not seen.",
            registry=self.registry,
        )
        booked = Gauge(
            "modicum_otel_calls_booked", "Calls of spans that came in and are in the ledger.", registry=self.registry
        )
        booked.set_function(lambda: ledger.spans_booked)
        repeated = Gauge(
            "modicum_otel_calls_repeated",
            "Calls of spans that came in and are counted in another span, or by the gateway.",
            registry=self.registry,
        )
        repeated.set_function(lambda: ledger.spans_repeated)

    def dropped(self, why: str, count: int) -> None:
        """`why` is one of our own words."""
        self._dropped.labels(why).inc(count)

    def text(self) -> str:
        return generate_latest(self.registry).decode()
