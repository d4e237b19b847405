"""Spans of OpenTelemetry that tell of model calls, converted to calls. The way back: `otel_attributes`.

The GenAI conventions have no release, so every name that instrumentations have used is accepted: the present ones
(https://github.com/open-telemetry/semantic-conventions-genai), those before 1.37, OpenInference
(https://github.com/Arize-ai/openinference), OpenLLMetry and the Vercel AI SDK. `gen_ai.usage.input_tokens` includes
cached tokens by the convention; instrumentations that differ are read by the rule of `modicum.providers.token_buckets`.
What modicum itself exported carries `modicum.*`, which stands above all others.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from modicum.calls import BUCKETS, Basis, Call, CallStatus, ChargedUnit, Charges, Owner, Tier, Usage
from modicum.calls.outside.storable import storable
from modicum.calls.provider_names import is_native_id, provider_id, provider_of_model
from modicum.calls.rates import KIN
from modicum.calls.usage import TEXT_BUCKETS, checked_count
from modicum.providers.fields import checked_dollars, count, first
from modicum.providers.opentelemetry.otel_names import (
    AGENT,
    CACHE_READ,
    CACHE_WRITE,
    CACHE_WRITE_1H,
    CACHE_WRITE_5M,
    CONVERSATION,
    COST,
    EMBEDDED,
    ENVIRONMENT,
    ERROR_TYPE,
    FINISH,
    FIRST_TOKEN_EVENTS,
    FIRST_TOKEN_MS,
    FIRST_TOKEN_SECONDS,
    INFERENCE,
    INPUT,
    MODEL,
    OUTPUT,
    PROVIDER,
    REASONING,
    RESPONSE_ID,
    SERVICE_NAME,
    SERVICE_VERSION,
    SPAN_KINDS,
    TIER,
    TOTAL,
    USER,
    VERCEL_OPERATION,
)
from modicum.providers.opentelemetry.vercel_metadata import PROVIDER_METADATA, provider_cost, with_provider_metadata
from modicum.providers.token_buckets import disjoint, split_writes
from modicum.providers.usage_guard import MOST_NAMED, holds_number

Attributes = Mapping[str, Any]

_EXPORTED = tuple(
    f"modicum.{name}"
    for name in (
        *("call.id", "status", "task", "conversation", "project", "usage.basis", "usage.output_basis", "web_searches"),
        *("region", "caveats", "provider_cost_usd"),
        *(f"requests.{unit}" for unit in ChargedUnit),
        *(f"usage.{bucket}" for bucket in BUCKETS if bucket not in TEXT_BUCKETS),
        *(f"owner.{part}" for part in Owner.__struct_fields__),
    )
)
"""What only modicum's own spans say (`otel_attributes`)."""

READ = frozenset(
    name
    for names in (
        *(
            INPUT,
            OUTPUT,
            TOTAL,
            EMBEDDED,
            CACHE_READ,
            CACHE_WRITE,
            CACHE_WRITE_1H,
            CACHE_WRITE_5M,
            REASONING,
            PROVIDER,
            MODEL,
        ),
        *(
            (PROVIDER_METADATA,),
            RESPONSE_ID,
            CONVERSATION,
            USER,
            AGENT,
            FINISH,
            COST,
            TIER,
            FIRST_TOKEN_SECONDS,
            FIRST_TOKEN_MS,
        ),
        *(SPAN_KINDS, VERCEL_OPERATION, ERROR_TYPE, SERVICE_NAME, ENVIRONMENT, SERVICE_VERSION, _EXPORTED),
    )
    for name in names
)
"""Every attribute that `call_from` reads, of spans and of what sent them. None holds the text of a prompt; of one that
may quote a reply (`vercel_metadata`) only numbers and names are taken."""


class Event(msgspec.Struct, frozen=True):
    name: str
    time: datetime | None
    attributes: Attributes


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A span, whatever wire it came over."""

    trace_id: str
    span_id: str
    parent_id: str = ""
    name: str = ""
    started: datetime
    finished: datetime | None = None
    failed: bool = False
    attributes: Attributes = {}
    resource: Attributes = {}
    events: Sequence[Event] = ()


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a counter, whatever wire it came over."""

    metric: str
    value: float
    is_delta: bool
    """Whether it is what was added since `started`, and no sum since the counter began there."""
    started: datetime | None
    at: datetime
    attributes: Attributes = {}
    """Its own and those of what sent it."""


def is_inference(attributes: Attributes) -> bool:
    """Whether the span is one call to a model, and not what sums up several.

    Where the span does not say what it is, a model and a token count make it a call.
    """
    operation = _text(attributes, VERCEL_OPERATION)
    if operation:  # the outer span of the Vercel AI SDK carries the sum of its steps
        return operation.rpartition(".")[2] in {"doGenerate", "doStream", "doEmbed"}
    kind = _text(attributes, SPAN_KINDS).lower()
    if kind:
        return kind in INFERENCE
    return bool(_text(attributes, MODEL)) and any(attributes.get(name) is not None for name in (*INPUT, *OUTPUT))


def is_read(name: str) -> bool:
    """Whether `call_from` looks at an attribute of that name."""
    return name in READ or _USAGE.match(name) is not None


def usage_from(attributes: Attributes) -> Usage | None:
    """The tokens of a call, or None where the span has none. A total alone is none: nobody can say what it is of; and
    so is an output without an input, which was not 0.

    Raises:
        ValueError: a count is no count of tokens.
    """
    has_prompt, has_completion = (any(attributes.get(name) is not None for name in side) for side in (INPUT, OUTPUT))
    if not has_prompt and not has_completion:
        embedded = _count(attributes, EMBEDDED)
        return Usage(input_uncached=embedded) if embedded else None
    prompt, completion, total = _count(attributes, INPUT), _count(attributes, OUTPUT), _count(attributes, TOTAL)
    if not has_prompt:
        if total <= completion:
            return None  # nobody counted the input, and it was not 0
        prompt = total - completion
    elif not has_completion:
        completion = max(total - prompt, 0)
    written = split_writes(
        _count(attributes, CACHE_WRITE), _count(attributes, CACHE_WRITE_5M), _count(attributes, CACHE_WRITE_1H)
    )
    return disjoint(
        prompt,
        completion,
        read=_count(attributes, CACHE_READ),
        written=written,
        reasoning=_count(attributes, REASONING),
        total=total,
    )


_USAGE = re.compile(r"(?:gen_ai|llm|ai)\.usage\.|llm\.token_count\.")
"""Beginnings of the names of attributes that count what is charged."""
_AGAIN = frozenset(
    {
        "ai.usage.inputTokenDetails.noCacheTokens",
        "ai.usage.outputTokenDetails.textTokens",
        "gen_ai.usage.details.input_tokens",
        "gen_ai.usage.details.output_tokens",
        "gen_ai.usage.details.prompt_tokens",
        "gen_ai.usage.details.completion_tokens",
        "gen_ai.usage.details.total_tokens",
        "gen_ai.usage.details.text_prompt_tokens",
        "gen_ai.usage.details.text_candidates_tokens",
        "gen_ai.usage.details.accepted_prediction_tokens",
        "gen_ai.usage.details.rejected_prediction_tokens",
        "gen_ai.usage.details.thinking_tokens",
        "gen_ai.usage.raw",
    }
)
"""Counts that say again, or in part, what others say."""


def charges_from(attributes: Attributes, usage: Usage | None) -> Charges:
    """What is not understood of a span's usage. Never raises."""
    caveats = [
        name
        for name, value in attributes.items()
        if _USAGE.match(name) and name not in READ and name not in _AGAIN and holds_number(value)
    ]
    lane = _text(attributes, TIER)
    caveats += [] if Tier.is_known(lane) else [f"service_tier={lane}" if lane.isidentifier() else "service_tier"]
    if usage is not None and usage.cache_read + usage.cache_write_5m and _is_ambiguous(attributes, usage):
        caveats.append("gen_ai.usage.input_tokens of Bedrock, with or without the cached ones")
    return Charges.of(caveats=caveats[:MOST_NAMED], provider_cost_usd=provider_cost(attributes))


def _is_ambiguous(attributes: Attributes, usage: Usage) -> bool:
    """Instrumentations of Bedrock pass on its own count of the input, which leaves the cached tokens out, against the
    convention; where it is larger than they are, nothing tells which of the two was meant.
    """
    is_bedrock = provider_id(_text(attributes, PROVIDER)) == "aws"
    return is_bedrock and _count(attributes, INPUT) == usage.prompt_tokens


def call_from(span: Span, source: str) -> Call | None:
    """The call of a span, or None where the span is no call to a model.

    Raises:
        ValueError: a count, an amount or a time is none.
    """
    if not is_inference(span.attributes):
        return None
    attributes = with_provider_metadata(span.attributes)
    usage = usage_from(attributes)
    basis = Basis.UNKNOWN if usage is None else Basis.EXACT
    model = _text(attributes, MODEL)
    agent = _text(attributes, AGENT)
    task = _text(attributes, CONVERSATION) or span.trace_id
    failed = span.failed or bool(_text(attributes, ERROR_TYPE))
    call = Call(
        call_id=_identity(span, source),
        source=source,
        provider=provider_id(_text(attributes, PROVIDER)) or provider_of_model(model),
        model=model,
        started=span.started,
        first_token=_first_token(span),
        finished=span.finished,
        status=CallStatus.ERROR if failed else CallStatus.OK,
        finish_reason=_text(attributes, FINISH),
        usage=usage or Usage(),
        usage_basis=basis,
        output_basis=basis,
        tier=Tier.from_name(_text(attributes, TIER)),
        charges=charges_from(attributes, usage),
        reported_cost_usd=checked_dollars(first(attributes, *COST)),
        task=task,
        conversation=f"{task}/{agent}" if agent else task,
        agent=agent,
        owner=Owner(app=_text(span.resource, SERVICE_NAME), user=_text(attributes, USER)),
        tags=_tags(span),
        # An event may tell of a call before its span ends: the record that has the end stands.
        revision=2 * (usage.total_tokens if usage else 0) + (span.finished is not None),
    )
    return _as_exported(call, attributes) if "modicum.call.id" in attributes else call


_MORE_BUCKETS = tuple(bucket for bucket in BUCKETS if bucket not in TEXT_BUCKETS)


def _exported_usage(usage: Usage, attributes: Attributes) -> Usage:
    """The usage with the buckets that only modicum's own spans tell apart."""
    moved = {name: checked_count(name, attributes.get(f"modicum.usage.{name}")) for name in _MORE_BUCKETS}
    left = {kin: getattr(usage, kin) for kin in KIN.values()}
    for name, tokens in moved.items():
        kin = "cache_write_5m" if BUCKETS[name].cache == "write" else KIN[name]
        moved[name] = min(tokens, left[kin])
        left[kin] -= moved[name]
    return msgspec.structs.replace(usage, **moved, **left)


def _exported_charges(attributes: Attributes) -> Charges:
    """What modicum's own spans say was charged beside the tokens.

    Raises:
        ValueError: a count or an amount is none.
    """
    prefix = "modicum.requests."
    requests = {
        name.removeprefix(prefix): checked_count(name, count)
        for name, count in attributes.items()
        if name.startswith(prefix)
    }
    if searches := checked_count("modicum.web_searches", attributes.get("modicum.web_searches")):
        requests.setdefault(ChargedUnit.WEB_SEARCH, searches)
    return Charges.of(
        region=_text(attributes, ("modicum.region",)),
        caveats=filter(None, _text(attributes, ("modicum.caveats",)).split(",")),
        provider_cost_usd=checked_dollars(attributes.get("modicum.provider_cost_usd")),
        requests=requests,
    )


def _as_exported(call: Call, attributes: Attributes) -> Call:
    """With what only modicum's own spans say (`otel_attributes`).

    Raises:
        ValueError: a count, a basis or a status is none.
    """

    def first_text(name: str) -> str:
        return _text(attributes, (f"modicum.{name}",))

    try:
        status = CallStatus(first_text("status") or call.status)
        bases = {
            "usage_basis": Basis(first_text("usage.basis") or call.usage_basis),
            "output_basis": Basis(first_text("usage.output_basis") or call.output_basis),
        }
    except ValueError:
        raise ValueError("its modicum.status or modicum.usage.basis is none") from None
    return msgspec.structs.replace(
        call,
        status=status,
        finished=None if status is CallStatus.UNKNOWN else call.finished,
        finish_reason=call.finish_reason or _text(attributes, ERROR_TYPE).removeprefix("_OTHER"),
        usage=_exported_usage(call.usage, attributes),
        charges=_exported_charges(attributes),
        task=first_text("task") or call.task,
        conversation=first_text("conversation") or call.conversation,
        project=first_text("project"),
        owner=Owner(*(first_text(f"owner.{part}") for part in Owner.__struct_fields__)),
        # A span may say that its counts are weaker than exact, not that there are counts where it holds none.
        **(bases if call.usage_basis is not Basis.UNKNOWN else {}),
    )


_OURS = re.compile(r"gateway:[\w.-]{1,80}\Z")


def _identity(span: Span, source: str) -> str:
    """The gateway's or the provider's own id of the call, else the place of the span."""
    ours, response_id = (_text(span.attributes, names) for names in (("modicum.call.id",), RESPONSE_ID))
    if _OURS.match(ours) or _is_global(ours):
        return ours
    return response_id if _is_global(response_id) else f"{source}:{span.trace_id}:{span.span_id}"


def _is_global(response_id: str) -> bool:
    """Providers give long ids. A server on a desk counts `resp-1`, `resp-2`, and so does the next one."""
    return is_native_id(response_id) or 20 <= len(response_id) <= 200


def _first_token(span: Span) -> datetime | None:
    for names, unit in ((FIRST_TOKEN_SECONDS, 1.0), (FIRST_TOKEN_MS, 0.001)):
        for name in names:
            value = span.attributes.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value * unit < 86_400:
                return span.started + timedelta(seconds=value * unit)
    times = (event.time for event in span.events if event.name in FIRST_TOKEN_EVENTS)
    return next((time for time in times if time is not None), None)


def _tags(span: Span) -> dict[str, str]:
    found = {
        "environment": _text(span.resource, ENVIRONMENT),
        "version": _text(span.resource, SERVICE_VERSION),
        "error": _text(span.attributes, ERROR_TYPE),
    }
    return {name: value for name, value in found.items() if value}


def _texts(attributes: Attributes, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        value = attributes.get(name)
        if isinstance(value, list | tuple) and value:
            value = value[0]
        if isinstance(value, str | int) and value != "":
            yield storable(str(value))


def _text(attributes: Attributes, names: Sequence[str]) -> str:
    return next(_texts(attributes, names), "")


def _count(attributes: Attributes, names: Sequence[str]) -> int:
    return count(attributes, *names) or 0
