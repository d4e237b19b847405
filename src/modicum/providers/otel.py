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

from modicum.calls import Basis, Call, CallStatus, Owner, Tier, Usage
from modicum.calls.provider_names import is_native_id, provider_id, provider_of_model
from modicum.calls.storable import storable
from modicum.calls.usage import checked_count
from modicum.providers.fields import checked_dollars, count, first
from modicum.providers.token_buckets import disjoint, split_writes

Attributes = Mapping[str, Any]

INPUT = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.usage.input_tokens",
    "llm.usage.prompt_tokens",
    "llm.token_count.prompt",
    "ai.usage.inputTokens",
    "ai.usage.promptTokens",
)
OUTPUT = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.usage.output_tokens",
    "llm.usage.completion_tokens",
    "llm.token_count.completion",
    "ai.usage.outputTokens",
    "ai.usage.completionTokens",
)
TOTAL = (
    "gen_ai.usage.total_tokens",
    "llm.usage.total_tokens",
    "llm.token_count.total",
    "ai.usage.totalTokens",
    "ai.usage.tokens",
)
CACHE_READ = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.cache_read_tokens",
    "gen_ai.usage.input_cached_tokens",
    "gen_ai.usage.cached_input_tokens",
    "gen_ai.usage.input_tokens.cached",
    "gen_ai.usage.input_tokens.cache_read",
    "gen_ai.usage.prompt_tokens_details.cached_tokens",
    "gen_ai.usage.input_tokens_details.cached_tokens",
    "gen_ai.usage.details.cache_read_tokens",
    "gen_ai.usage.details.cache_read_input_tokens",
    "gen_ai.usage.details.cached_tokens",
    "llm.usage.cache_read_input_tokens",
    "llm.usage.cached_tokens",
    "llm.token_count.prompt_details.cache_read",
    "llm.token_count.prompt_details.cache_input",
    "ai.usage.inputTokenDetails.cacheReadTokens",
    "ai.usage.cachedInputTokens",
)
CACHE_WRITE = (
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_write_tokens",
    "gen_ai.usage.cache_creation_tokens",
    "gen_ai.usage.input_tokens.cache_write",
    "gen_ai.usage.details.cache_write_tokens",
    "gen_ai.usage.details.cache_creation_input_tokens",
    "llm.usage.cache_creation_input_tokens",
    "llm.token_count.prompt_details.cache_write",
    "ai.usage.inputTokenDetails.cacheWriteTokens",
)
CACHE_WRITE_1H = (
    "modicum.usage.cache_write_1h",
    "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",
    "gen_ai.usage.details.ephemeral_1h_input_tokens",
)
CACHE_WRITE_5M = (
    "gen_ai.usage.cache_creation.ephemeral_5m_input_tokens",
    "gen_ai.usage.details.ephemeral_5m_input_tokens",
)
REASONING = (
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "gen_ai.usage.output_tokens.reasoning",
    "gen_ai.usage.completion_tokens_details.reasoning_tokens",
    "gen_ai.usage.output_tokens_details.reasoning_tokens",
    "gen_ai.usage.details.reasoning_tokens",
    "gen_ai.usage.details.thoughts_tokens",
    "llm.usage.reasoning_tokens",
    "llm.token_count.completion_details.reasoning",
    "ai.usage.outputTokenDetails.reasoningTokens",
    "ai.usage.reasoningTokens",
)
PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider")
MODEL = (
    "gen_ai.response.model",
    "gen_ai.request.model",
    "llm.response.model_name",
    "llm.response.model",
    "llm.model_name",
    "llm.request.model_name",
    "llm.request.model",
    "ai.response.model",
    "ai.model.id",
    "embedding.model_name",
)
RESPONSE_ID = ("gen_ai.response.id", "ai.response.id", "llm.response.id")
CONVERSATION = (
    "gen_ai.conversation.id",
    "session.id",
    "langfuse.session.id",
    "gen_ai.thread.id",
    "traceloop.association.properties.session_id",
    "ai.telemetry.metadata.sessionId",
)
USER = ("enduser.id", "user.id", "langfuse.user.id", "traceloop.association.properties.user_id", "user.account_uuid")
AGENT = ("gen_ai.agent.name", "gen_ai.agent.id", "agent.name", "graph.node.id")
FINISH = (
    "gen_ai.response.finish_reasons",
    "llm.finish_reason",
    "llm.response.finish_reason",
    "ai.response.finishReason",
)
COST = (
    "modicum.cost_usd",
    "llm.cost.total",
    "gen_ai.usage.cost",
    "gen_ai.usage.total_cost",
    "gen_ai.cost.total_cost",
    "operation.cost",
)
TIER = (
    "modicum.tier",
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "gen_ai.response.service_tier",
    "openai.request.service_tier",
    "gen_ai.openai.request.service_tier",
)

INFERENCE = {
    "chat",
    "completion",
    "completions",
    "embedding",
    "embeddings",
    "generate_content",
    "generation",
    "llm",
    "message",
    "messages",
    "response",
    "responses",
    "text_completion",
}
"""Operations and span kinds in which a model is asked. All others (`execute_tool`, `invoke_agent`, `chain`, ...) only
sum up what their children did, and are no calls."""

FIRST_TOKEN_EVENTS = {"First Token Stream Event", "gen_ai.content.first_token", "llm.content.completion.chunk"}
FIRST_TOKEN_SECONDS = (
    "modicum.first_token_seconds",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.server.time_to_first_token",
)
FIRST_TOKEN_MS = ("ai.response.msToFirstChunk", "ai.stream.msToFirstChunk")

_KINDS = (
    "gen_ai.operation.name",
    "openinference.span.kind",
    "llm.request.type",
    "langfuse.observation.type",
    "traceloop.span.kind",
)
_OPERATION = ("ai.operationId",)
_ERROR = ("error.type",)
_SERVICE = ("service.name",)
_ENVIRONMENT = ("deployment.environment.name", "deployment.environment")
_VERSION = ("service.version",)
_EXPORTED = tuple(
    f"modicum.{name}"
    for name in (
        *("call.id", "status", "task", "conversation", "project", "usage.basis", "usage.output_basis", "web_searches"),
        *(f"owner.{part}" for part in Owner.__struct_fields__),
    )
)
"""What only modicum's own spans say (`otel_attributes`)."""

READ = frozenset(
    name
    for names in (
        *(INPUT, OUTPUT, TOTAL, CACHE_READ, CACHE_WRITE, CACHE_WRITE_1H, CACHE_WRITE_5M, REASONING, PROVIDER, MODEL),
        *(RESPONSE_ID, CONVERSATION, USER, AGENT, FINISH, COST, TIER, FIRST_TOKEN_SECONDS, FIRST_TOKEN_MS),
        *(_KINDS, _OPERATION, _ERROR, _SERVICE, _ENVIRONMENT, _VERSION, _EXPORTED),
    )
    for name in names
)
"""Every attribute that `call_from` reads, of spans and of what sent them. None holds the text of a prompt or reply."""


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


def is_inference(attributes: Attributes) -> bool:
    """Whether the span is one call to a model, and not what sums up several.

    Where the span does not say what it is, a model and a token count make it a call.
    """
    operation = _text(attributes, _OPERATION)
    if operation:  # the outer span of the Vercel AI SDK carries the sum of its steps
        return operation.rpartition(".")[2] in {"doGenerate", "doStream", "doEmbed"}
    kind = _text(attributes, _KINDS).lower()
    if kind:
        return kind in INFERENCE
    return bool(_text(attributes, MODEL)) and any(attributes.get(name) is not None for name in (*INPUT, *OUTPUT))


def usage_from(attributes: Attributes) -> Usage | None:
    """The tokens of a call, or None where the span has none. A total alone is none: nobody can say what it is of; and
    so is an output without an input, which was not 0.

    Raises:
        ValueError: a count is no count of tokens.
    """
    has_prompt, has_completion = (any(attributes.get(name) is not None for name in side) for side in (INPUT, OUTPUT))
    if not has_prompt and not has_completion:
        return None
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


def call_from(span: Span, source: str) -> Call | None:
    """The call of a span, or None where the span is no call to a model.

    Raises:
        ValueError: a count, an amount or a time is none.
    """
    attributes = span.attributes
    if not is_inference(attributes):
        return None
    usage = usage_from(attributes)
    basis = Basis.UNKNOWN if usage is None else Basis.EXACT
    model = _text(attributes, MODEL)
    agent = _text(attributes, AGENT)
    task = _text(attributes, CONVERSATION) or span.trace_id
    failed = span.failed or bool(_text(attributes, _ERROR))
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
        reported_cost_usd=checked_dollars(first(attributes, *COST)),
        task=task,
        conversation=f"{task}/{agent}" if agent else task,
        agent=agent,
        owner=Owner(app=_text(span.resource, _SERVICE), user=_text(attributes, USER)),
        tags=_tags(span),
        # An event may tell of a call before its span ends: the record that has the end stands.
        revision=2 * (usage.total_tokens if usage else 0) + (span.finished is not None),
    )
    return _as_exported(call, attributes) if "modicum.call.id" in attributes else call


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
        finish_reason=call.finish_reason or _text(attributes, _ERROR).removeprefix("_OTHER"),
        web_searches=checked_count("modicum.web_searches", attributes.get("modicum.web_searches")),
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
        "environment": _text(span.resource, _ENVIRONMENT),
        "version": _text(span.resource, _VERSION),
        "error": _text(span.attributes, _ERROR),
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
