"""Helicone: requests from `npx @helicone/export` or its request API, as JSON or CSV.

Traps, each with a fixture:

- `prompt_tokens` includes cached tokens or not, by provider and version; the reply's own usage object is used where
  bodies were exported, and else the reading that agrees with `total_tokens`, by `modicum.providers.token_buckets`.
- An answer from Helicone's cache names the request that it repeats, and no provider was asked: no tokens, no call.
- The id of the reply inside the body is the provider's own, so that a call seen elsewhere too is booked once.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from modicum.calls import NO_CHARGES, Basis, Call, CallStatus, Charges, Owner, Tier, Usage
from modicum.calls.provider_names import is_native_id, provider_id, provider_of_model
from modicum.importers.exports.export_record import Record, Recorded, fields_in, read_export
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.tags import named
from modicum.providers.anthropic_messages import usage as anthropic
from modicum.providers.fields import (
    checked_dollars,
    checked_moment,
    count,
    first,
    label,
    parsed_list,
    parsed_mapping,
    start,
)
from modicum.providers.openai import usage as openai
from modicum.providers.openai.recorded import requests_in
from modicum.providers.token_buckets import both_sides, disjoint, tokens_by_modality, with_modalities
from modicum.providers.usage_guard import KnownFields, unknown_counts

NAME = "helicone"
NO_REFERENCE = "00000000-0000-0000-0000-000000000000"
PENDING, CLIENT_LEFT = "-2", {"-3", "499"}
"""Helicone's own codes in the place of an HTTP status; all other negative ones are errors."""
KNOWN = {
    *("total_tokens", "prompt_tokens", "completion_tokens", "reasoning_tokens"),
    *("prompt_cache_write_tokens", "prompt_cache_read_tokens"),
    *("prompt_audio_tokens", "completion_audio_tokens"),
    "time_to_first_token",
}
"""The columns of a request that count tokens, or only sound so."""


def read(path: Path, reading: Reading) -> Found:
    yield from read_export(path, reading, recorded)


def recorded(row: Record) -> Recorded:
    """One request of the export as what was recorded of a call.

    Raises:
        ValueError: a count, an amount or a time is none.
    """
    identity = label(row.get("request_id"))
    if not identity:
        raise ValueError("the request has no request_id")
    request, response = parsed_mapping(row.get("request_body")), parsed_mapping(row.get("response_body"))
    from_cache = label(row.get("cache_reference_id")) not in {"", NO_REFERENCE}
    usage = Usage() if from_cache else usage_from(row, parsed_mapping(response.get("usage")))
    basis = Basis.UNKNOWN if usage is None else Basis.EXACT
    reply_id = label(response.get("id"))
    native = is_native_id(reply_id) and not from_cache
    model = label(first(row, "response_model", "model_override", "request_model", "model"))
    properties = parsed_mapping(first(row, "request_properties", "properties"))
    started = start(row.get("request_created_at"))
    cost = checked_dollars(first(row, "costUSD", "cost"))
    service_tier = label(parsed_mapping(response.get("usage")).get("service_tier") or response.get("service_tier"))
    call = Call(
        call_id=reply_id if native else f"{NAME}:{identity}",
        source=NAME,
        provider=provider_id(label(row.get("provider"))) or provider_of_model(model),
        model=model,
        started=started,
        first_token=after(started, first(row, "time_to_first_token")),
        finished=after(started, first(row, "delay_ms")) or checked_moment(row.get("response_created_at")),
        status=status(row),
        finish_reason=finish_reason(response),
        usage=usage or Usage(),
        usage_basis=basis,
        output_basis=basis,
        tier=Tier.from_name(service_tier),
        charges=NO_CHARGES if from_cache else charges(row, response, model),
        calls_count=0 if from_cache else 1,
        reported_cost_usd=cost if cost or from_cache else None,
        task=label(first(properties, "Helicone-Session-Id", "helicone-session-id")),
        agent=label(first(properties, "Agent", "agent")),
        owner=Owner(
            team=label(first(properties, "Team", "team")),
            app=label(first(properties, "App", "app", "appname")),
            user=label(first(row, "request_user_id", "helicone_user")),
        ),
        tags=named(**{str(name): value for name, value in properties.items()})
        | named(prompt=row.get("prompt_id"), prompt_version=row.get("prompt_version")),
        place="gateway-cache" if from_cache else "",
        revision=usage.total_tokens if usage else 0,
    )
    messages = first(request, "messages", "input", "contents")
    system = first(request, "system", "instructions", "systemInstruction", "system_instruction")
    return Recorded(call, messages, request.get("tools"), system, reply=response)


def usage_from(row: Record, own: Mapping[str, Any]) -> Usage | None:
    """The buckets of a request, from the provider's own usage object where there is one, or None where nothing was
    counted.

    Raises:
        ValueError: a count is no count of tokens.
    """
    if ("cache_read_input_tokens" in own or "cache_creation_input_tokens" in own) and (
        Basis.UNKNOWN not in anthropic.bases_of(own)
    ):
        return anthropic.usage_from(own)
    prompt, completion = count(own, "prompt_tokens", "input_tokens"), count(own, "completion_tokens", "output_tokens")
    if prompt is not None and completion is not None:
        return _usage_of_reply(own, prompt, completion)
    total = count(row, "total_tokens") or 0
    sides = both_sides(count(row, "prompt_tokens"), count(row, "completion_tokens"), total)
    if sides is None:
        return None
    return disjoint(
        *sides,
        read=count(row, "prompt_cache_read_tokens") or 0,
        written=(count(row, "prompt_cache_write_tokens") or 0, 0),
        reasoning=count(row, "reasoning_tokens") or 0,
        total=total,
    )


def _usage_of_reply(own: Mapping[str, Any], prompt: int, completion: int) -> Usage:
    inputs = parsed_mapping(first(own, "prompt_tokens_details", "input_tokens_details"))
    outputs = parsed_mapping(first(own, "completion_tokens_details", "output_tokens_details"))
    cached = parsed_mapping(inputs.get("cached_tokens_details"))
    whole = disjoint(
        prompt,
        completion,
        read=count(inputs, "cached_tokens") or 0,
        written=(count(inputs, "cache_write_tokens") or 0, 0),
        reasoning=count(outputs, "reasoning_tokens") or 0,
        total=count(own, "total_tokens") or 0,
    )
    return with_modalities(
        whole,
        prompt=tokens_by_modality(inputs),
        cached=tokens_by_modality(cached),
        output=tokens_by_modality(outputs),
    )


def charges(row: Record, response: Mapping[str, Any], model: str) -> Charges:
    """What is charged beside the tokens, by the reply where its body was exported. What Helicone itself reckons is its
    estimate.
    """
    own = parsed_mapping(response.get("usage"))
    if "cache_read_input_tokens" in own or "cache_creation_input_tokens" in own:
        charged = anthropic.charges_from(own, model)
    else:
        lane = own.get("service_tier") or response.get("service_tier")
        charged = openai.charges_from(own, lane=lane, model=model, requests=requests_in(response), known=KNOWN_OF_REPLY)
    return charged.with_caveats(*unknown_counts(row, KNOWN, "request"))


KNOWN_OF_REPLY: KnownFields = {
    **openai.KNOWN,
    "server_tool_use": {"web_search_requests": "priced", "web_fetch_requests": "free"},
}


def after(started: Any, milliseconds: Any) -> Any:
    """The moment so many milliseconds after the start; None where there is none, or a negative or absurd one."""
    try:
        delay = timedelta(milliseconds=float(milliseconds))
    except (ValueError, TypeError, OverflowError):
        return None
    return started + delay if timedelta(0) < delay < timedelta(days=1) else None


def status(row: Record) -> CallStatus:
    code = label(row.get("response_status")).partition(".")[0]
    if not code.lstrip("-").isdecimal():
        return CallStatus.OK
    if code == PENDING:
        return CallStatus.UNKNOWN
    if code in CLIENT_LEFT:
        return CallStatus.ABORTED
    return CallStatus.OK if 200 <= int(code) < 400 else CallStatus.ERROR


def finish_reason(response: Mapping[str, Any]) -> str:
    choices = parsed_list(response.get("choices"))
    return label(parsed_mapping(choices[0]).get("finish_reason")) if choices else label(response.get("stop_reason"))


def recognises(path: Path, start_of_file: bytes) -> bool:
    del path
    names = fields_in(start_of_file)
    return {"request_id", "request_created_at", "response_status"} <= names and bool(
        names & {"helicone_user", "delay_ms", "request_path", "request_properties"}
    )


FORMAT = LogFormat(
    name=NAME,
    title="Helicone requests",
    recognises=recognises,
    read=read,
    checked_against="documentation",
)
