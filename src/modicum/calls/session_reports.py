"""Which records of a session count where its calls are reported twice.

An agent's own log has a session's calls one by one. Beside it there may be what only reports on them: the sum that a
headless run prints at its end, and the events that the agent sends as telemetry, which have no id of the call. A report
is left out as far as its calls stand elsewhere, whichever came first:

- an event, where a call of its session and model has the same counts of input (all of them: a growing context gives no
  two calls alike);
- a sum, where a call or an event of its session and model stands;
- what a stream's sum holds beyond the calls in the stream (a rest), where another log of the session has the model's
  calls.
"""

from modicum.calls.call import Call

RUN = "run"
"""The `Call.place` of a sum over a session's calls, of which nobody says how many they were."""
REST = "rest"
"""That of what a sum holds beyond the calls that stand beside it."""
TELEMETRY = "telemetry"
"""That of a call told of in an agent's telemetry."""
REPORTS = frozenset({RUN, REST, TELEMETRY})
SUMS = frozenset({RUN, REST})


def without_brackets(model: str) -> str:
    """A model's name without what Claude Code adds to it: `claude-opus-4-6[1m]` asks for the larger context."""
    return model.partition("[")[0]


class SessionCalls:
    """The calls that sessions are known to have made, by what reports on them can be compared with."""

    def __init__(self) -> None:
        self._of_models: set[tuple[str, str]] = set()
        """Task and model of calls that stand one by one in an agent's log, in a stream or in the gateway's journal."""
        self._events: set[tuple[str, str]] = set()
        self._sources: set[tuple[str, str, str]] = set()
        self._counts: set[int] = set()
        """Hashes: there are as many as calls."""

    def add(self, call: Call) -> None:
        if not call.task or call.place in SUMS:
            return
        if call.place == TELEMETRY:
            self._events |= {(call.task, call.model), (call.task, "")}
            return
        if (place := (call.task, call.model, call.source)) not in self._sources:
            self._sources |= {place, (call.task, "", call.source)}
            self._of_models |= {place[:2], (call.task, "")}
        self._counts.add(_counts(call))

    def has(self, report: Call) -> bool:
        """Whether what a record reports stands in the calls that were added."""
        place = report.task, report.model
        if report.place == TELEMETRY:
            return _counts(report) in self._counts
        if report.place == RUN:
            return place in self._of_models or place in self._events
        return any((task, model) == place and source != report.source for task, model, source in self._sources)


def _counts(call: Call) -> int:
    usage = call.usage
    written = usage.cache_write_tokens
    return hash((call.task, call.model, usage.input_uncached, usage.cache_read, written))
