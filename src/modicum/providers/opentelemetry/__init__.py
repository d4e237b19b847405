"""OpenTelemetry: names, wire forms, spans, logs and metrics <-> calls."""
