"""llm: Simon Willison's command line and library, `logs.db` (SQLite), a row per call.

It lies in `~/.config/io.datasette.llm` (Linux), `~/Library/Application Support/io.datasette.llm` (macOS) or
`%APPDATA%/io.datasette.llm`, or in the folder that `LLM_USER_PATH` names; `llm logs path` says where. Written from
llm's migrations and models (0.32, August 2026) and its plugins for Anthropic, Gemini, Mistral and OpenRouter.

- A row of `turns` (since 0.32) or of `responses` (before) is one call, under the provider's id where `response_json`
  has one, else as `llm:<id>`.
- `input_tokens`, `output_tokens` and `token_details` are usage, read as the provider's own usage object.
- `resolved_model`, else `model`, is the model; what stands before the first `/` of `model` names the provider.
- `thread_id` or `conversation_id` is the task, `datetime_utc` the start, with `duration_ms` the end.

Traps, each in the fixture:

- `input_tokens` includes the cache for OpenAI's models and Gemini's, and excludes it for Anthropic's. Gemini's also
  includes what its own tools put into the prompt, and its `output_tokens` the thoughts.
- Both generations of tables stand in one database, and no call stands in both.
- Where a plugin recorded no tokens, or llm was older than 0.19, the call is counted, its cost is unknown, and a problem
  says how many such calls there are. Prompts of the table `logs` (before 0.4) are told by number alone.
- A price lane that was only asked for (`service_tier` in the options) makes the cost an estimate.

No text is read: calls carry no anatomy.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from modicum.calls import Basis, Call, Charges, Problem, Tier, Usage
from modicum.calls.provider_names import is_native_id, provider_of_model, provider_of_own_model
from modicum.calls.words.counted_nouns import number_of
from modicum.importers.agents.agent_database import database_calls, has_columns, rows_of, table_calls
from modicum.importers.agents.row_calls import Row
from modicum.importers.format import Found, LogFormat, Reading
from modicum.providers.anthropic_messages import usage as anthropic
from modicum.providers.fields import count, label, listed, mapping, parsed_mapping, start, text
from modicum.providers.gemini_generate import usage as gemini
from modicum.providers.openai import usage as openai
from modicum.providers.openai.recorded import requests_in
from modicum.providers.usage_guard import unknown_counts, word

NAME = "llm"
CALLS = {
    "responses": {"id", "model", "response_json", "conversation_id", "duration_ms", "datetime_utc"},
    "conversations": {"id", "name", "model"},
}
KNOWN = {"input_tokens", "output_tokens", "token_details"}
ASKED_LANE = "service_tier was asked for, and no reply says that it was served"
MOST_MILLISECONDS = 86_400_000


def read(path: Path, reading: Reading) -> Found:
    del reading
    yield from database_calls(path, NAME, lambda database: _logged(path, database))


def _logged(path: Path, database: sqlite3.Connection) -> Found:
    without: list[str] = []

    def calls_of(table: str, row: Row) -> Iterator[Call]:
        call = _call(row, table)
        if call.usage_basis is Basis.UNKNOWN:
            without.append(call.call_id)
        yield call

    for table in ("responses", "turns"):
        yield from table_calls(path, database, table, partial(calls_of, table))
    if without:
        reason = f"no tokens are recorded of {number_of(len(without), 'call')}, whose cost is unknown"
        yield Problem(str(path), f"{reason} (the model's plugin, or an llm before 0.19, kept none)", is_of_cost=True)
    if older := sum(1 for _ in rows_of(database, "logs")):
        yield Problem(
            str(path), f"not counted, from before llm 0.4, which recorded no tokens: {number_of(older, 'call')}"
        )


class _Counted(NamedTuple):
    usage: Usage
    bases: tuple[Basis, Basis]
    tier: Tier
    charges: Charges


def _call(row: Row, table: str) -> Call:
    reply = parsed_mapping(row.get("response_json"))
    model = text(row.get("resolved_model")) or text(row.get("model"))
    provider = provider_of_model(text(row.get("model"))) or provider_of_own_model(model)
    counted = _with_doubts(_counted(row, provider, model, reply), row, table)
    identity, native = label(row.get("id")), label(reply.get("id"))
    if not identity and not is_native_id(native):
        raise ValueError("the call has no id")
    started = start(row.get("datetime_utc"))
    return Call(
        call_id=native if is_native_id(native) else f"{NAME}:{identity}",
        source=NAME,
        provider=provider,
        model=model,
        started=started,
        finished=_end(started, row.get("duration_ms")),
        usage=counted.usage,
        usage_basis=counted.bases[0],
        output_basis=counted.bases[1],
        tier=counted.tier,
        charges=counted.charges,
        task=label(row.get("thread_id")) or label(row.get("conversation_id")) or identity,
        revision=counted.usage.total_tokens,
    )


def _end(started: datetime, waited: Any) -> datetime | None:
    """The end of a call that took so many milliseconds; None where that is no duration."""
    if isinstance(waited, int | float) and 0 < waited < MOST_MILLISECONDS:
        return started + timedelta(milliseconds=waited)
    return None


def _counted(row: Row, provider: str, model: str, reply: Mapping[str, Any]) -> _Counted:
    """The counts of a row, which are the provider's usage object in three columns, read as that object.

    Raises:
        ValueError: a count is no count of tokens.
    """
    details = parsed_mapping(row.get("token_details"))
    sides = row.get("input_tokens"), row.get("output_tokens")
    if provider == "anthropic" or "cache_read_input_tokens" in details:
        found = {**details, "input_tokens": sides[0], "output_tokens": sides[1]}
        bases, charges = anthropic.bases_of(found), anthropic.charges_from(found, model)
        counted = _Counted(anthropic.usage_from(found), bases, anthropic.tier_from(found), charges)
    elif provider == "google" or "candidatesTokenCount" in details:
        prompt = _less(row, "input_tokens", details, "toolUsePromptTokenCount")
        candidates = _less(row, "output_tokens", details, "thoughtsTokenCount")
        found = {**details, "promptTokenCount": prompt, "candidatesTokenCount": candidates}
        grounding = [mapping(mapping(one).get("groundingMetadata")) for one in listed(reply.get("candidates"))]
        bases, charges = gemini.bases_of(found), gemini.charges_from(found, grounding, model)
        counted = _Counted(gemini.usage_from(found), bases, gemini.tier_from(found), charges)
    else:
        found = {**details, "prompt_tokens": sides[0], "completion_tokens": sides[1]}
        lane = reply.get("service_tier")
        charges = openai.charges_from(found, lane=lane, model=model, requests=requests_in(reply))
        counted = _Counted(openai.usage_from(found), openai.bases_of(found), openai.tier_from(reply), charges)
    return counted


def _less(row: Row, whole: str, details: Mapping[str, Any], part: str) -> int | None:
    """What is left of a count without the part of it that stands in the details too; None where nobody counted."""
    counted = count(row, whole)
    return None if counted is None else counted - (count(details, part) or 0)


def _with_doubts(counted: _Counted, row: Row, table: str) -> _Counted:
    doubts, tier = unknown_counts(row, KNOWN, table), counted.tier
    asked_lane = parsed_mapping(row.get("options_json")).get("service_tier")
    doubts += word("service_tier", asked_lane, openai.LANES)
    asked_tier = openai.tier_from({"service_tier": asked_lane})
    if tier is Tier.STANDARD and asked_tier is not tier:
        tier = asked_tier
        doubts.append(ASKED_LANE)
    return counted._replace(tier=tier, charges=counted.charges.with_caveats(*doubts))


def recognises(path: Path, head: bytes) -> bool:
    return has_columns(path, head, CALLS)


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    if root := environment.get("LLM_USER_PATH"):
        return [Path(root) / "logs.db"]
    folders = [
        Path(environment.get("XDG_CONFIG_HOME") or home / ".config"),
        home / "Library" / "Application Support",
        Path(environment.get("APPDATA") or home / "AppData" / "Roaming"),
    ]
    return [folder / "io.datasette.llm" / "logs.db" for folder in folders]


FORMAT = LogFormat(
    name=NAME,
    title="llm logs (database)",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="documentation",
    lines=False,
)
