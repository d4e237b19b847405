"""LiteLLM: rows of its table SpendLogs (JSON or CSV), and the standard logging payload that it writes to buckets.

Traps, each with a fixture:

- `prompt_tokens` includes cached tokens for every provider; the split stands in the usage object inside `metadata`.
- A hit of LiteLLM's own reply cache is a row with tokens, but no provider was asked: no tokens, no call.
- `spend` is 0 where LiteLLM knows no price, so a 0 beside tokens is no figure; so are tokens that are 0 by default.
- `completionStartTime` is set to the end of calls that did not stream.
- Rows of tools (`mcp_namespaced_tool_name`) are no calls to a model.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import NO_CHARGES, Basis, Call, CallStatus, Charges, Owner, Tier, Usage
from modicum.calls.provider_names import is_native_id, provider_id, provider_of_model
from modicum.importers.exports.export_record import Record, Recorded, fields_in, read_export
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.tags import named, tags
from modicum.providers.anthropic_messages import usage as anthropic
from modicum.providers.fields import (
    checked_dollars,
    checked_moment,
    count,
    first,
    label,
    parsed,
    parsed_list,
    parsed_mapping,
    start,
)
from modicum.providers.openai import usage as openai
from modicum.providers.token_buckets import MODALITIES, both_sides, disjoint, split_writes, with_modalities
from modicum.providers.usage_guard import KnownFields, unknown_counts, word

NAME = "litellm"
CUT_MARK = "(litellm_truncated skipped"
"""LiteLLM shortens long texts before it stores them: what is left says nothing about the context."""


def read(path: Path, reading: Reading) -> Found:
    yield from read_export(path, reading, recorded)


def recorded(row: Record) -> Recorded | None:
    """One row of the export as what was recorded of a call.

    Raises:
        ValueError: a count, an amount or a time is none.
    """
    if first(row, "mcp_namespaced_tool_name"):
        return None
    identity = label(first(row, "request_id", "id"))
    if not identity:
        raise ValueError("the row has no request_id")
    metadata = parsed_mapping(row.get("metadata"))
    details = usage_object(metadata)
    usage = usage_from(row, details)
    from_cache = str(row.get("cache_hit")).lower() == "true"
    basis = Basis.EXACT if usage is not None or from_cache else Basis.UNKNOWN
    spend = checked_dollars(first(row, "spend", "response_cost"))
    finished = checked_moment(row.get("endTime"))
    first_token = checked_moment(row.get("completionStartTime"))
    request = parsed_mapping(first(row, "proxy_server_request", "model_parameters"))
    call = Call(
        call_id=identity if is_native_id(identity) and not from_cache else f"{NAME}:{identity}",
        source=NAME,
        provider=provider_id(label(row.get("custom_llm_provider"))) or provider_of_model(label(row.get("model"))),
        model=label(first(row, "model", "model_group")),
        started=start(row.get("startTime")),
        first_token=None if first_token == finished else first_token,
        finished=finished,
        status=status(row, metadata),
        finish_reason=finish_reason(row.get("response")),
        usage=Usage() if usage is None or from_cache else usage,
        usage_basis=basis,
        output_basis=basis,
        tier=tier(row, details),
        charges=NO_CHARGES if from_cache else charges(row, details),
        calls_count=0 if from_cache else 1,
        reported_cost_usd=spend if spend or from_cache else None,
        task=label(first(row, "session_id", "trace_id")),
        agent=label(row.get("agent_id")),
        owner=owner(row, metadata),
        tags=tags(parsed_list(row.get("request_tags")))
        | named(
            model_group=row.get("model_group"),
            end_user=row.get("end_user"),
            organization=row.get("organization_id"),
            retries=metadata.get("attempted_retries") or None,
        ),
        place="gateway-cache" if from_cache else "",
        revision=usage.total_tokens if usage else 0,
    )
    if CUT_MARK in str(first(row, "proxy_server_request", "messages")):
        return Recorded(call)
    messages = request.get("messages") or request.get("input") or parsed(row.get("messages"))
    system = request.get("system") or request.get("instructions")
    return Recorded(call, messages, request.get("tools"), system, reply=parsed(row.get("response")))


def usage_object(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """The provider's own usage, as LiteLLM passes it on; older versions keep only what exceeds the three totals."""
    return parsed_mapping(metadata.get("usage_object")) or parsed_mapping(metadata.get("additional_usage_values"))


def usage_from(row: Record, details: Mapping[str, Any]) -> Usage | None:
    """The buckets of a row, or None where nothing was counted.

    Raises:
        ValueError: a count is no count of tokens.
    """
    prompt = count(row, "prompt_tokens") or count(details, "prompt_tokens")
    completion = count(row, "completion_tokens") or count(details, "completion_tokens") or 0
    inputs = parsed_mapping(details.get("prompt_tokens_details"))
    outputs = parsed_mapping(details.get("completion_tokens_details"))
    split = parsed_mapping(inputs.get("cache_creation_token_details")) or parsed_mapping(details.get("cache_creation"))
    read_tokens = count(details, "cache_read_input_tokens") or count(inputs, "cached_tokens") or 0
    written = split_writes(
        count(details, "cache_creation_input_tokens") or count(inputs, "cache_creation_tokens") or 0,
        count(split, "ephemeral_5m_input_tokens") or 0,
        count(split, "ephemeral_1h_input_tokens") or 0,
    )
    if not prompt and not completion and not read_tokens and not any(written):
        return None
    total = count(row, "total_tokens") or 0
    is_cached = bool(read_tokens or any(written))
    sides = both_sides(prompt or (0 if is_cached else None), completion, total)  # nothing at all is no prompt
    if sides is None:
        return None
    whole = disjoint(
        *sides,
        read=read_tokens,
        written=written,
        reasoning=count(outputs, "reasoning_tokens") or 0,
        total=total,
    )
    return with_modalities(
        whole,
        prompt={kind: count(inputs, f"{kind}_tokens") or 0 for kind in MODALITIES},
        cached={},
        output={kind: count(outputs, f"{kind}_tokens") or 0 for kind in MODALITIES},
    )


_WRITES: KnownFields = {"ephemeral_5m_input_tokens": "priced", "ephemeral_1h_input_tokens": "priced"}
_INPUTS: KnownFields = {
    **dict.fromkeys(("cached_tokens", "cache_creation_tokens", "cache_write_tokens"), "priced"),
    **dict.fromkeys((f"{kind}_tokens" for kind in ("text", *MODALITIES)), "priced"),
    "cache_creation_token_details": _WRITES,
    "web_search_requests": "the same again",
}
KNOWN: KnownFields = {
    **openai.KNOWN,
    "prompt_tokens_details": _INPUTS,
    "cache_creation": _WRITES,
    "server_tool_use": {"web_search_requests": "priced", "web_fetch_requests": "free", "tool_search_requests": "free"},
    "cost": "LiteLLM's own, as spend, or what a router charged",
}
"""What is done with every number of the usage object that LiteLLM keeps."""


KNOWN_COLUMNS = {"total_tokens", "prompt_tokens", "completion_tokens"}
ROUTERS = {"openrouter"}
"""Whose replies say what they cost; LiteLLM passes it on."""


def charges(row: Record, details: Mapping[str, Any]) -> Charges:
    charged = openai.charges_from(
        details, lane=details.get("service_tier"), model=label(first(row, "model")), known=KNOWN
    )
    place = label(details.get("inference_geo")).lower()
    caveats = [
        *unknown_counts(row, KNOWN_COLUMNS, "row"),
        *word("inference_geo", details.get("inference_geo"), anthropic.GEOGRAPHIES),
        *word("speed", details.get("speed"), anthropic.SPEEDS),
    ]
    return msgspec.structs.replace(
        charged,
        region=anthropic.PLACES.get(place, place),
        provider_cost_usd=charged.provider_cost_usd if label(row.get("custom_llm_provider")) in ROUTERS else None,
    ).with_caveats(*caveats)


def status(row: Record, metadata: Mapping[str, Any]) -> CallStatus:
    word = label(first(row, "status") or metadata.get("status")).lower()
    return CallStatus.ERROR if word in {"failure", "failed", "error"} else CallStatus.OK


def finish_reason(response: Any) -> str:
    choices = parsed_list(parsed_mapping(response).get("choices"))
    return label(parsed_mapping(choices[0]).get("finish_reason")) if choices else ""


def tier(row: Record, details: Mapping[str, Any]) -> Tier:
    if "batch" in label(row.get("call_type")):
        return Tier.BATCH
    return openai.tier_from(details) if label(details.get("speed")) != "fast" else Tier.FAST


def owner(row: Record, metadata: Mapping[str, Any]) -> Owner:
    key = label(first(metadata, "user_api_key_alias") or first(row, "api_key"))
    return Owner(
        team=label(first(metadata, "user_api_key_team_alias") or first(row, "team_id")),
        user=label(first(row, "user", "end_user") or first(metadata, "user_api_key_user_id")),
        key="" if key.startswith("sk-") else key,
    )


def recognises(path: Path, start_of_file: bytes) -> bool:
    del path
    names = fields_in(start_of_file)
    if {"request_id", "spend", "call_type", "startTime"} <= names:
        return True
    return {"response_cost", "call_type", "startTime", "model_map_information"} <= names


FORMAT = LogFormat(
    name=NAME,
    title="LiteLLM spend logs",
    recognises=recognises,
    read=read,
    checked_against="documentation",
)
