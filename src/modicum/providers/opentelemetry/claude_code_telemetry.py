"""What Claude Code itself sends as OpenTelemetry logs and metrics: calls of its events, outcomes of its counters.

Source: https://code.claude.com/docs/en/monitoring-usage. Each call is an event `claude_code.api_request`, or
`claude_code.api_error` if it failed. The metrics `claude_code.token.usage` and `claude_code.cost.usage` sum up the same
calls and are not read. `claude_code.commit.count`, `.pull_request.count` and `.lines_of_code.count` are outcomes of the
session. Of all other events, prompts among them, nothing is looked at.

An event has no id that a transcript has too: `modicum.calls.session_reports` says how a call is known nevertheless.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

import msgspec

from modicum.calls import Basis, Call, CallStatus, Charges, Outcome, Owner, Tier, Usage
from modicum.calls.outcome import checked_time
from modicum.calls.provider_names import provider_of_model
from modicum.calls.session_reports import TELEMETRY, without_brackets
from modicum.providers.fields import checked_dollars, count, label
from modicum.providers.opentelemetry.otel import Point, Span

REQUEST, ERROR = "api_request", "api_error"
PREFIX = "claude_code."
COUNTS = ("input_tokens", "cache_read_tokens", "cache_creation_tokens", "output_tokens")
READ = frozenset(
    {
        *COUNTS,
        *("model", "cost_usd", "duration_ms", "request_id", "status_code", "attempt", "speed", "query_source"),
        *("event.name", "event.sequence", "session.id", "agent.name", "type", "app.version"),
        *("user.email", "user.account_uuid", "user.id", "organization.id", "team.id", "service.name"),
    }
)
"""Every attribute that is read here. None holds a text of a prompt or reply, or the message of an error."""
MOST_DURATION_MS = 86_400_000
OUTCOMES = {
    ("claude_code.commit.count", ""): "agent_commits",
    ("claude_code.pull_request.count", ""): "agent_pull_requests",
    ("claude_code.lines_of_code.count", "added"): "agent_lines_added",
    ("claude_code.lines_of_code.count", "removed"): "agent_lines_removed",
}
"""Names of outcomes by metric and its attribute `type`. Not those of `modicum outcome git`, which sees the same
commits: both together would be twice as many."""
SESSIONS = "claude_code.session.count"
"""Counts a session when it begins: it has no commit and no pull request then, which is a value of 0 and no missing one.
"""
COUNTERS = frozenset({SESSIONS, *(metric for metric, _ in OUTCOMES)})


SERIES = frozenset({"user.id", "user.account_uuid", "user.email", "organization.id", "app.version", "agent.name"})
"""Attributes that may change within a session: each combination is a counter of its own."""


def is_call(span: Span) -> bool:
    """Whether a log record is one of Claude Code's that tells of a call."""
    name = span.name.removeprefix(PREFIX)
    return name in {REQUEST, ERROR} and (span.name != name or "session.id" in span.attributes)


def call_from_event(span: Span, source: str) -> Call:
    """The call of an event.

    Raises:
        ValueError: a count or an amount is none.
    """
    about = span.attributes
    is_error = span.name.removeprefix(PREFIX) == ERROR
    uncached, cache_read, written, output = (count(about, name) or 0 for name in COUNTS)
    status = count(about, "status_code") or 0
    # What was refused is not billed; of one that broke off, nobody says what it cost.
    is_counted = status >= 400 if is_error else any(about.get(name) not in (None, "") for name in COUNTS)
    took_ms = min(count(about, "duration_ms") or 0, MOST_DURATION_MS)
    session = label(about.get("session.id"))
    place = f"{session}:{span.started.isoformat()}:{label(about.get('event.sequence'))}"
    # A retried request may have failed and succeeded under one id.
    identity = label(about.get("request_id")) + (f":{ERROR}" if is_error else "")
    usage = Usage(uncached, cache_read, written, 0, output)  # nothing tells the writes of an hour apart
    basis = Basis.counted(is_counted)
    model = without_brackets(label(about.get("model")))
    return Call(
        call_id=f"{source}:{identity if label(about.get('request_id')) else place}",
        source=source,
        provider=_provider(model),
        model=model,
        started=span.started - timedelta(milliseconds=took_ms),
        finished=span.started,
        status=CallStatus.ERROR if is_error else CallStatus.OK,
        finish_reason=str(status) if is_error and status else "",
        usage=usage if is_counted else Usage(),
        usage_basis=basis,
        output_basis=basis,
        tier=Tier.FAST if about.get("speed") == "fast" else Tier.STANDARD,
        charges=Charges.of(caveats=["cache_creation_tokens, for which time to live"] if written else ()),
        reported_cost_usd=checked_dollars(about.get("cost_usd")),
        task=session,
        conversation=session,
        agent=label(about.get("agent.name")),
        owner=Owner(
            team=label(about.get("team.id") or span.resource.get("team.id") or about.get("organization.id")),
            app=label(span.resource.get("service.name")),
            user=label(about.get("user.email") or about.get("user.account_uuid") or about.get("user.id")),
        ),
        tags=_tags(about),
        place=TELEMETRY,
        revision=usage.total_tokens,
    )


def outcomes_from(points: Iterable[Point | str], prefix: str) -> Iterator[Outcome | str]:
    """The outcomes that counters tell of, or why one is none. `prefix` is how their ids begin.

    A delta is an outcome of its own. A sum that grows is one outcome of its counter, of which the value that was sent
    last stands: whoever adds up a session's outcomes gets what was done either way.
    """
    for point in points:
        if isinstance(point, str):
            yield point
        elif point.metric == SESSIONS:
            for name in NONE_YET:
                yield _outcome(msgspec.structs.replace(point, value=0.0), name, prefix)
        elif name := _name(point):
            yield _outcome(point, name, prefix)


NONE_YET = ("agent_commits", "agent_pull_requests")


def _name(point: Point) -> str:
    """What an outcome of this counter is called; nothing where it is none, or nothing was added."""
    if not point.value and point.is_delta:
        return ""
    kind = label(point.attributes.get("type"))
    return OUTCOMES.get((point.metric, kind)) or OUTCOMES.get((point.metric, ""), "")


def _outcome(point: Point, name: str, prefix: str) -> Outcome | str:
    about = point.attributes
    session = label(about.get("session.id"))
    if not session:
        return f"{point.metric} without session.id; set OTEL_METRICS_INCLUDE_SESSION_ID=true"
    if not 0 <= point.value < float("inf"):  # nor what is no number
        return f"{point.metric} has a value that is no count"
    begun = point.started.isoformat() if point.started is not None else ""
    series = ",".join(f"{key}={label(about[key])}" for key in sorted(about) if key in SERIES)
    end = f"|{point.at.isoformat()}" if point.is_delta else ""
    try:
        at = checked_time(point.at)
    except ValueError as error:
        return f"{point.metric}: {error}"
    return Outcome(
        outcome_id=f"{prefix}{session}|{point.metric}|{name}|{series}|{begun}{end}",
        task=session,
        name=name,
        value=point.value,
        time=at,
        source=f"telemetry of Claude Code, {point.metric}",
    )


def _provider(model: str) -> str:
    if "anthropic." in model:
        return "aws"
    if "@" in model:
        return "google"
    return provider_of_model(model) or ("anthropic" if model.startswith("claude") else "")


def _tags(about: Mapping[str, object]) -> dict[str, str]:
    found = {"version": label(about.get("app.version")), "query_source": label(about.get("query_source"))}
    return {name: value for name, value in found.items() if value}
