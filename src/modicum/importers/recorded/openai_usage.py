"""OpenAI's usage reports: the pages of the organization usage API, and the usage CSV of the dashboard.

A row sums up all calls of a time bucket that share project, user, key, model, batch and service tier, as far as the
report was grouped by them. Traps, each with a fixture:

- `input_tokens` includes cached ones and, where they are billed, those written to the cache; and sound and pictures,
  which are told apart too. Where a report also tells which of these were cached, its counts of sound and pictures leave
  them out; older reports include them.
- The CSV writes counts as `59200.0` and empty buckets as rows without counts; a row that counts calls and not their
  input is unknown, not 0.
- A bucket that has not ended grows: a later export of it replaces the earlier one.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import Basis, Call, Charges, Owner, Problem, Tier, Usage
from modicum.calls.words.counted_nouns import number_of
from modicum.importers.files import lines, records
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.recorded.aggregates import aggregated_bases, aggregated_count
from modicum.providers.fields import listed, mapping, moment, text
from modicum.providers.openai.usage import LANES, buckets, tier_from
from modicum.providers.token_buckets import MODALITIES, with_modalities
from modicum.providers.usage_guard import KnownFields, unknown_numbers, word

NAME = "openai-usage"
TOKEN_RESULTS = ("organization.usage.completions.result", "organization.usage.embeddings.result")
GROUPS = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")
CSV_COLUMNS = (b"num_model_requests", b"input_tokens", b"start_time")


COUNTS = ("input_tokens", "input_cached_tokens", "input_cache_write_tokens", "output_tokens")
KNOWN: KnownFields = {
    **dict.fromkeys((*COUNTS, "input_cache_write_12h_tokens"), "priced"),
    "input_cache_write_30m_tokens": "the rest of what is written",
    **dict.fromkeys((f"input_{kind}_tokens" for kind in MODALITIES), "priced"),
    **dict.fromkeys((f"input_cached_{kind}_tokens" for kind in MODALITIES), "priced"),
    **dict.fromkeys((f"output_{kind}_tokens" for kind in MODALITIES), "priced"),
    "input_uncached_tokens": "the rest of the input",
    **dict.fromkeys(("input_text_tokens", "input_cached_text_tokens", "output_text_tokens"), "the rest"),
    "num_model_requests": "the number of calls",
    **dict.fromkeys((*GROUPS, "api_source"), "a name"),
    **dict.fromkeys(("project_name", "user_email", "api_key_name", "organization_id", "object"), "a name"),
    **dict.fromkeys(("start_time", "end_time", "start_time_iso", "end_time_iso"), "a time"),
}
"""What is done with every number of a row."""


def read(path: Path, reading: Reading) -> Found:
    del reading
    other = 0
    rows = _csv_rows(path) if _is_csv(path) else _api_rows(path)
    for found in rows:
        if isinstance(found, Problem):
            yield found
            continue
        number, row = found
        if text(row.get("object", TOKEN_RESULTS[0])) not in TOKEN_RESULTS:
            other += 1
            continue
        try:
            call = _call(row)
        except ValueError as error:
            yield Problem(str(path), f"not counted: {error}", number)
        else:
            if call:
                yield call
    if other:
        yield Problem(
            str(path),
            f"{number_of(other, 'result is', 'results are')} not measured in tokens (images, audio, storage): not "
            "counted",
        )


Row = tuple[int | None, Mapping[str, Any]]


def _api_rows(path: Path) -> Iterator[Row | Problem]:
    """The results of all buckets, each with the times of its bucket. A file may hold a page a line."""
    for found in records(path):
        if isinstance(found, Problem):
            yield found
            continue
        number, page = found
        for bucket in listed(page.get("data")) or [page]:
            times = {name: mapping(bucket).get(name) for name in ("start_time", "end_time")}
            for result in listed(mapping(bucket).get("results")):
                yield number, {**mapping(result), **times}


def _is_csv(path: Path) -> bool:
    for found in lines(path):
        return not isinstance(found, Problem) and found[1].lstrip(b"\xef\xbb\xbf")[:1] not in (b"{", b"[")
    return False


def _csv_rows(path: Path) -> Iterator[Row | Problem]:
    """Rows by their header; the separator is a comma, or a tab where somebody copied the table."""
    header: list[str] = []
    separator = ","
    for found in lines(path):
        if isinstance(found, Problem):
            yield found
            continue
        number, line = found
        row_text = line.decode("utf-8-sig" if not header else "utf-8", "replace")
        if not header:
            separator = "\t" if "\t" in row_text else ","
        try:
            cells = next(csv.reader([row_text], delimiter=separator, strict=True))
        except csv.Error as error:
            yield Problem(str(path), f"not a row of this CSV: {error}", number)
            continue
        if not header:
            header = cells
        elif len(cells) != len(header):
            yield Problem(
                str(path), f"{number_of(len(cells), 'cell')} under {number_of(len(header), 'column')}", number
            )
        else:
            yield number, dict(zip(header, cells, strict=True))


def _call(row: Mapping[str, Any]) -> Call | None:
    """The sum as a call, or None for a row that sums up nothing.

    Raises:
        ValueError: a count or the time is none.
    """
    usage = usage_from(row)
    requests = aggregated_count("num_model_requests", row.get("num_model_requests"))
    if not requests and not usage.total_tokens:
        return None
    basis, output_basis = aggregated_bases(row, prompt=COUNTS[0], output=COUNTS[3], lacks_output=True)
    started = moment(row.get("start_time")) or moment(row.get("start_time_iso"))
    if started is None:
        raise ValueError("the bucket has no time")
    named = {name: str(row.get(name)) if row.get(name) is not None else "" for name in GROUPS}
    is_batch = named["batch"].lower() == "true"
    ended = moment(row.get("end_time")) or moment(row.get("end_time_iso"))
    key = ":".join((f"{started:%Y%m%dT%H%M}", f"{ended:%Y%m%dT%H%M}" if ended else "", *named.values())).lower()
    return Call(
        call_id=f"{NAME}:{text(key)}",
        source=NAME,
        provider="openai",
        model=text(named["model"]),
        started=started,
        finished=ended if ended and ended >= started else None,
        usage=Usage() if basis is Basis.UNKNOWN else usage,
        usage_basis=basis,
        output_basis=output_basis,
        tier=Tier.BATCH if is_batch else tier_from(row),
        charges=Charges.of(
            caveats=unknown_numbers(row, KNOWN, "results[]") + word("service_tier", row.get("service_tier"), LANES)
        ),
        calls_count=max(requests, 1),
        project=text(named["project_id"]),
        owner=Owner(user=text(named["user_id"]), key=text(named["api_key_id"])),
        revision=usage.total_tokens,
    )


def usage_from(row: Mapping[str, Any]) -> Usage:
    """The counts of a row as buckets.

    Raises:
        ValueError: a count is none.
    """

    def counted(name: str) -> int:
        return aggregated_count(name, row.get(name))

    prompt, read_, written, completion = map(counted, COUNTS)
    half_day = counted("input_cache_write_12h_tokens")
    whole = buckets(prompt=prompt, read=read_, written=written + half_day, completion=completion, reasoning=0)
    if half_day:
        short = max(whole.cache_write_5m - half_day, 0)
        whole = msgspec.structs.replace(whole, cache_write_5m=short, cache_write_12h=half_day)
    cached = {kind: counted(f"input_cached_{kind}_tokens") for kind in MODALITIES}
    return with_modalities(
        whole,
        prompt={kind: counted(f"input_{kind}_tokens") + cached[kind] for kind in MODALITIES},
        cached=cached,
        output={kind: counted(f"output_{kind}_tokens") for kind in MODALITIES},
    )


def recognises(path: Path, head: bytes) -> bool:
    """A page or bucket of the usage API, or a CSV with the dashboard's columns."""
    del path
    start = head[:4096]
    if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return b'"organization.usage.' in head and b'"results"' in head
    first = start.split(b"\n", 1)[0]
    return all(column in first for column in CSV_COLUMNS)


FORMAT = LogFormat(
    name=NAME,
    title="OpenAI usage reports (API pages and dashboard CSV)",
    recognises=recognises,
    read=read,
    checked_against="documentation",
    lines=False,
)
