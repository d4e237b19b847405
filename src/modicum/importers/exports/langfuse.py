"""Langfuse: observations from its API, its blob storage export (old and enriched) and its tables, as JSON or CSV; and
whole traces, as `GET /api/public/traces/{id}` gives them.

Traps, each with a fixture:

- Only observations of the types GENERATION and EMBEDDING are calls; spans and agents above them sum up.
- The keys of the usage details are buckets that do not overlap, `input` among them; integrations that send an
  inclusive `input` are found by their total.
- Field names are in camelCase in the API and in snake_case in blob exports, and JSON stands as text in both.
- What an observation does not say itself (session, user, tags, release) stands at the trace that holds it. A list of
  traces holds the ids of their observations alone: that is a problem, not an empty bill.
- The times of one observation may differ by less than a millisecond between two exports, so ids alone are identity.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from modicum.calls import Basis, Call, CallStatus, Charges, Owner, Tier, Usage
from modicum.calls.provider_names import provider_id, provider_of_model
from modicum.calls.usage import is_counted
from modicum.importers.exports.export_record import Record, Recorded, fields_in, read_export
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.tags import named, tags
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
from modicum.providers.openai.usage import LANES
from modicum.providers.token_buckets import MODALITIES, both_sides, disjoint, split_writes, with_modalities
from modicum.providers.usage_guard import holds_number, shown_path, word

NAME = "langfuse"
CALLS = {"GENERATION", "EMBEDDING"}


def read(path: Path, reading: Reading) -> Found:
    yield from read_export(path, reading, recorded, observations_of)


OF_TRACE = {
    "sessionId": "sessionId",
    "userId": "userId",
    "name": "traceName",
    "tags": "traceTags",
    "release": "release",
    "version": "version",
    "environment": "environment",
}
"""Fields of a trace, and as which of its observations they are read."""


def observations_of(record: Record) -> Iterable[Record]:
    """The observations of a trace, with what the trace says of all of them; another record as it is."""
    held = record.get("observations")
    if not isinstance(held, list):
        return [record]
    shared = {ours: record[theirs] for theirs, ours in OF_TRACE.items() if record.get(theirs) not in (None, "", [])}
    trace = {"traceId": record.get("id"), **shared}
    if not all(isinstance(one, Mapping) for one in held):
        return [{"type": ONLY_IDS}]
    return [{**trace, **{name: value for name, value in one.items() if value is not None}} for one in held]


ONLY_IDS = "trace without observations"


def recorded(row: Record) -> Recorded:
    """One observation of the export as what was recorded of a call.

    Raises:
        ValueError: a count, an amount or a time is none.
    """
    identity = label(row.get("id"))
    if row.get("type") == ONLY_IDS:
        raise ValueError("the trace has only the ids of its observations; ask the API for each trace, or observations")
    if not identity:
        raise ValueError("the observation has no id")
    parent = label(first(row, "parentObservationId", "parent_observation_id"))
    if label(row.get("type")).upper() not in CALLS:
        return Recorded(None, span=identity, parent=parent)
    usage = usage_from(row)
    basis = Basis.UNKNOWN if usage is None else Basis.EXACT
    model = label(first(row, "model", "providedModelName", "provided_model_name", "internalModel"))
    metadata = parsed_mapping(row.get("metadata"))
    costs = parsed_mapping(first(row, "costDetails", "cost_details"))
    trace = label(first(row, "traceId", "trace_id"))
    parameters = parsed_mapping(first(row, "modelParameters", "model_parameters"))
    call = Call(
        call_id=f"{NAME}:{identity}",
        source=NAME,
        provider=provider_id(label(metadata.get("ls_provider"))) or provider_of_model(model),
        model=model,
        started=start(first(row, "startTime", "start_time")),
        first_token=checked_moment(first(row, "completionStartTime", "completion_start_time")),
        finished=checked_moment(first(row, "endTime", "end_time")),
        status=CallStatus.ERROR if label(row.get("level")).upper() == "ERROR" else CallStatus.OK,
        usage=usage or Usage(),
        usage_basis=basis,
        output_basis=basis,
        tier=Tier.from_name(label(parameters.get("service_tier"))),
        charges=Charges.of(caveats=_unknown(row) + word("service_tier", parameters.get("service_tier"), LANES)),
        reported_cost_usd=checked_dollars(
            first(row, "calculatedTotalCost", "totalCost", "total_cost") or costs.get("total") or None
        ),
        task=label(first(row, "sessionId", "session_id")) or trace,
        conversation=trace,
        owner=Owner(user=label(first(row, "userId", "user_id"))),
        tags=tags(parsed_list(first(row, "traceTags", "trace_tags", "tags")))
        | named(
            name=row.get("name"),
            trace_name=first(row, "traceName", "trace_name"),
            environment=row.get("environment"),
            version=row.get("version"),
            release=row.get("release"),
            prompt=first(row, "promptName", "prompt_name"),
            prompt_version=first(row, "promptVersion", "prompt_version"),
        ),
        revision=usage.total_tokens if usage else 0,
    )
    return Recorded(call, *context(row), span=identity, parent=parent, reply=parsed(row.get("output")))


def context(row: Record) -> tuple[Any, Any, Any]:
    """Messages, tools and system prompt: the input is a list of messages, or an object that holds one."""
    sent = parsed(row.get("input"))
    tools = parsed(first(row, "toolDefinitions", "tool_definitions"))
    if isinstance(tools, Mapping):
        tools = [parsed(tool) for tool in tools.values()]
    if isinstance(sent, Mapping) and ("messages" in sent or "contents" in sent):
        system = sent.get("system") or sent.get("instructions")
        return sent.get("messages") or sent.get("contents"), tools or sent.get("tools"), system
    return sent, tools, None


def usage_from(row: Record) -> Usage | None:
    """The buckets of an observation, or None where it has no usage.

    Raises:
        ValueError: a count is no count of tokens.
    """
    details = _details(row)
    counts = {name: count(details, name) or 0 for name in details if name not in {"unit", "total"}}
    total = count(details, "total") or count(row, "totalTokens", "totalUsage") or 0
    if not counts:
        prompt, completion = count(row, "promptTokens", "inputUsage"), count(row, "completionTokens", "outputUsage")
        sides = both_sides(prompt, completion, total)
        if sides is None:
            return None
        counts = {"input": sides[0], "output": sides[1]}
    if not any(counts.values()) or not _is_counted(details):
        return None
    sums = dict.fromkeys(("input", "read", "written", "written_5m", "written_1h", "output", "reasoning", ""), 0)
    kinds = {side: dict.fromkeys(MODALITIES, 0) for side in ("input", "read", "output")}
    for name, tokens in counts.items():
        side = bucket(name)
        sums[side] += tokens
        if side in kinds and (kind := next((kind for kind in MODALITIES if kind in name.lower()), "")):
            kinds[side][kind] += tokens
    written = (sums["written"] + sums["written_5m"], sums["written_1h"])
    if sums["written"] and sums["written"] == sums["written_5m"] + sums["written_1h"]:  # the total beside its split
        written = split_writes(sums["written"], sums["written_5m"], sums["written_1h"])
    whole = disjoint(
        sums["input"],
        sums["output"],
        read=sums["read"],
        written=written,
        reasoning=sums["reasoning"],
        total=total,
        inside=False,
    )
    sent = {kind: tokens + kinds["read"][kind] for kind, tokens in kinds["input"].items()}
    return with_modalities(whole, prompt=sent, cached=kinds["read"], output=kinds["output"])


def _details(row: Record) -> Mapping[str, Any]:
    return parsed_mapping(first(row, "usageDetails", "usage_details")) or parsed_mapping(row.get("usage"))


def _unknown(row: Record) -> list[str]:
    """Keys of the usage details that nobody knows: by the words in them, since everybody makes keys of his own."""
    details = _details(row)
    unknown = [name for name, value in details.items() if not _is_known(str(name)) and holds_number(value)]
    return [shown_path("usageDetails", name) for name in unknown]


def _is_known(name: str) -> bool:
    return name in NO_TOKENS or all(part.lower() in WORDS for part in _WORD.findall(name))


_WORD = re.compile(r"[A-Z]?[a-z]+|[0-9]+[a-z]*|[A-Z]+")
WORDS = {
    *("input", "prompt", "output", "completion", "candidates", "total", "token", "tokens", "count", "details"),
    *("cache", "cached", "caching", "read", "creation", "write", "written", "ephemeral", "5m", "1h"),
    *("reasoning", "thinking", "thoughts", "text", "audio", "image", "video", "document"),
    *("content", "accepted", "rejected", "prediction"),
}
"""The words of which the names of known keys are made, in whatever order."""
NO_TOKENS = {"unit", "inputCost", "outputCost", "totalCost"}
"""Fields of the older usage object that count no tokens; what Langfuse reckons is its estimate."""


def _is_counted(details: Mapping[str, Any]) -> bool:
    """Whether no main count is null: what nobody counted is not 0."""
    return all(is_counted(details, name, may_lack=True) for name in ("input", "output"))


def bucket(name: str) -> str:
    """Which bucket a key of the usage details belongs to; nothing for keys that count no tokens of the call."""
    key = name.lower()
    if "cach" in key:
        if "creat" in key or "writ" in key:
            return "written_1h" if "1h" in key else "written_5m" if "5m" in key else "written"
        return "read"
    if "reason" in key or "thought" in key or "thinking" in key:
        return "reasoning"
    if key.startswith(("input", "prompt")):
        return "input"
    return "output" if key.startswith(("output", "completion")) else ""


def recognises(path: Path, start_of_file: bytes) -> bool:
    del path
    names = fields_in(start_of_file)
    if {"bookmarked", "public", "sessionId", "timestamp"} <= names:
        return True  # a trace; its observations come last
    if "type" not in names or "id" not in names:
        return False
    return (
        {"traceId", "startTime"} < names
        and bool(names & {"usageDetails", "parentObservationId", "completionStartTime", "observations"})
    ) or ({"trace_id", "start_time"} < names and bool(names & {"usage_details", "provided_model_name"}))


FORMAT = LogFormat(
    name=NAME,
    title="Langfuse observations and traces",
    recognises=recognises,
    read=read,
    checked_against="documentation",
)
