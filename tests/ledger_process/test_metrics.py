from types import SimpleNamespace

from modicum.ledger_process.metrics import ExportMetrics


def test_spans_are_counted_by_what_became_of_them():
    ledger = SimpleNamespace(spans_booked=3, spans_repeated=1)
    metrics = ExportMetrics(ledger)
    metrics.exported.inc(5)
    metrics.dropped("lost", 2)
    ledger.spans_booked = 4

    lines = metrics.text().splitlines()

    assert "modicum_otel_spans_exported_total 5.0" in lines
    assert 'modicum_otel_spans_dropped_total{why="lost"} 2.0' in lines
    assert 'modicum_otel_spans_dropped_total{why="refused"} 0.0' in lines
    assert "modicum_otel_calls_booked 4.0" in lines
    assert "modicum_otel_calls_repeated 1.0" in lines
