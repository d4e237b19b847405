"""Anthropic's usage report: the pages of `/v1/organizations/usage_report/messages`.

A row sums up all calls of a time bucket that share key, workspace, model, service tier and context window, as far as
the report was grouped by them; it does not say how many calls these were. The cost report holds no tokens and is not
read. A bucket that has not ended grows: a later export of it replaces the earlier one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modicum.calls import Basis, Call, ChargedUnit, Charges, Owner, Problem, Usage
from modicum.importers.files import records
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.recorded.aggregates import aggregated_bases, aggregated_count
from modicum.providers.anthropic_messages import usage as anthropic
from modicum.providers.fields import listed, mapping, moment, text
from modicum.providers.usage_guard import KnownFields, unknown_numbers, word

NAME = "anthropic-usage"
GROUPS = ("workspace_id", "api_key_id", "account_id", "model", "service_tier", "context_window", "speed")
PROMPT, OUTPUT = "uncached_input_tokens", "output_tokens"


def read(path: Path, reading: Reading) -> Found:
    del reading
    for found in records(path):
        if isinstance(found, Problem):
            yield found
            continue
        number, page = found
        for bucket in listed(page.get("data")) or [page]:
            for result in listed(mapping(bucket).get("results")):
                try:
                    call = _call(mapping(bucket), mapping(result))
                except ValueError as error:
                    yield Problem(str(path), f"not counted: {error}", number)
                else:
                    if call:
                        yield call


def usage_from(result: Mapping[str, Any]) -> Usage:
    """The counts of a row as buckets; both spellings of the cache writes are in use.

    Raises:
        ValueError: a count is no count of tokens.
    """
    writes = mapping(result.get("cache_creation"))
    short, long = "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"
    return Usage(
        input_uncached=aggregated_count(PROMPT, result.get(PROMPT)),
        cache_read=aggregated_count("cache_read_input_tokens", result.get("cache_read_input_tokens")),
        cache_write_5m=aggregated_count(short, writes.get(short, result.get("cache_creation_5m_input_tokens"))),
        cache_write_1h=aggregated_count(long, writes.get(long, result.get("cache_creation_1h_input_tokens"))),
        output_visible=aggregated_count(OUTPUT, result.get(OUTPUT)),
    )


def _call(bucket: Mapping[str, Any], result: Mapping[str, Any]) -> Call | None:
    usage = usage_from(result)
    searches = aggregated_count(
        "web_search_requests", mapping(result.get("server_tool_use")).get("web_search_requests")
    )
    basis, output_basis = aggregated_bases(result, prompt=PROMPT, output=OUTPUT)
    is_unknown = output_basis is Basis.UNKNOWN and (PROMPT in result or OUTPUT in result)
    if not usage.total_tokens and not searches and not is_unknown:
        return None
    started, ended = moment(bucket.get("starting_at")), moment(bucket.get("ending_at"))
    if started is None:
        raise ValueError("the bucket has no time")
    named = {name: text(result.get(name)) for name in GROUPS}
    key = ":".join((f"{started:%Y%m%dT%H%M}", f"{ended:%Y%m%dT%H%M}" if ended else "", *named.values()))
    return Call(
        call_id=f"{NAME}:{key}",
        source=NAME,
        provider="anthropic",
        model=named["model"],
        started=started,
        finished=ended if ended and ended >= started else None,
        usage=Usage() if basis is Basis.UNKNOWN else usage,
        usage_basis=basis,
        output_basis=output_basis,
        tier=anthropic.tier(named["service_tier"], named["speed"]),
        charges=_charges(result, searches),
        project=named["workspace_id"],
        owner=Owner(user=named["account_id"], key=named["api_key_id"]),
        tags={"context_window": named["context_window"]} if named["context_window"] else {},
        revision=usage.total_tokens,
    )


KNOWN: KnownFields = {
    **dict.fromkeys(("uncached_input_tokens", "cache_read_input_tokens", "output_tokens"), "priced"),
    **dict.fromkeys(("cache_creation_5m_input_tokens", "cache_creation_1h_input_tokens"), "priced"),
    "cache_creation": {"ephemeral_5m_input_tokens": "priced", "ephemeral_1h_input_tokens": "priced"},
    "server_tool_use": {"web_search_requests": "priced", "web_fetch_requests": "free"},
    **dict.fromkeys(GROUPS, "a name"),
    "inference_geo": "a name",
    "context_window": "a name",
}
"""What is done with every number of a row."""


def _charges(result: Mapping[str, Any], searches: int) -> Charges:
    place = text(result.get("inference_geo")).lower()
    caveats = [
        *unknown_numbers(result, KNOWN, "results[]"),
        *word("service_tier", result.get("service_tier"), anthropic.LANES),
        *word("speed", result.get("speed"), anthropic.SPEEDS),
        *word("inference_geo", result.get("inference_geo"), anthropic.GEOGRAPHIES),
    ]
    return Charges.of(
        region=anthropic.PLACES.get(place, place), caveats=caveats, requests={ChargedUnit.WEB_SEARCH: searches}
    )


def recognises(path: Path, head: bytes) -> bool:
    """A page or bucket with the report's own name for uncached input."""
    del path
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return start in (b"{", b"[") and b'"starting_at"' in head and b'"results"' in head and _has_counts(head)


def _has_counts(head: bytes) -> bool:
    """Empty buckets come first in many reports; a row of the cost report has an amount instead."""
    return b'"uncached_input_tokens"' in head or (b'"ending_at"' in head and b'"amount"' not in head)


FORMAT = LogFormat(
    name=NAME,
    title="Anthropic usage reports",
    recognises=recognises,
    read=read,
    checked_against="documentation",
    lines=False,
)
