"""Our own JSONL, for everything that has no format of its own: one call a line, in the words of `modicum.calls`.

The specification is docs/formats/modicum.md. Field names are checked, so that a misspelt one is a problem and not a
figure that is missing.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from modicum.calls import (
    BUCKETS,
    Anatomy,
    Basis,
    Call,
    CallStatus,
    ChargedUnit,
    Charges,
    Owner,
    Segment,
    SegmentKind,
    Tier,
    Usage,
)
from modicum.calls.errors import accepted_are
from modicum.calls.usage import checked_count
from modicum.importers.exports.export_record import Record, Recorded, fields_in, read_export
from modicum.importers.format import Found, LogFormat, Reading
from modicum.providers.fields import checked_dollars, checked_moment, label, start

NAME = "modicum"
VERSION = 1
TEXTS = ("provider", "finish_reason", "task", "conversation", "agent", "project", "branch", "place", "client_version")
_OUTPUT = tuple(bucket.name for bucket in BUCKETS.values() if bucket.side == "output")
FIELDS = {
    *TEXTS,
    *("modicum", "call_id", "source", "model", "started", "first_token", "finished", "status", "tier", "owner", "tags"),
    *("usage", "usage_basis", "output_basis", "output_tokens_estimated", "web_searches", "calls_count"),
    *("requests", "region", "caveats", "provider_cost_usd", "cache_miss", "events"),
    *(
        "reported_cost_usd",
        "revision",
        "segments",
        "kept_segments",
        "kept_tokens",
        "break_cause",
        "messages",
        "tools",
        "system",
        "reply",
    ),
}
OWNER_FIELDS = {"team", "app", "user", "key"}
SEGMENT_FIELDS = {"kind", "tokens", "digest", "tool", "detail", "is_error", "basis"}

Word = TypeVar("Word", bound=StrEnum)


def read(path: Path, reading: Reading) -> Found:
    yield from read_export(path, reading, recorded)


def recorded(line: Record) -> Recorded:
    """One line of our JSONL as what was recorded of a call.

    Raises:
        ValueError: a field is unknown, missing or of the wrong kind; the message names it.
    """
    line = {name: value for name, value in line.items() if value is not None}
    _only("the line", line, FIELDS)
    if line.get("modicum", VERSION) != VERSION:
        raise ValueError(f"this program reads version {VERSION} of the format")
    model = label(line.get("model"))
    if not model:
        raise ValueError("model is missing")
    usage = usage_from(line.get("usage"))
    basis = Basis.UNKNOWN if usage is None else _word(Basis, line, "usage_basis", Basis.EXACT)
    output_basis = Basis.UNKNOWN if usage is None else _word(Basis, line, "output_basis", basis)
    has_input, has_output = _counted_sides(line.get("usage"))
    basis |= Basis.counted(has_input)
    output_basis |= Basis.counted(has_input and has_output)
    estimated = line.get("output_tokens_estimated")
    texts: Any = {name: label(line.get(name)) for name in TEXTS}
    call = Call(
        call_id=label(line.get("call_id")) or f"{NAME}:{_digest_of(line)}",
        source=label(line.get("source")) or NAME,
        model=model,
        started=start(line.get("started")),
        first_token=checked_moment(line.get("first_token")),
        finished=checked_moment(line.get("finished")),
        status=_word(CallStatus, line, "status", CallStatus.OK),
        usage=usage or Usage(),
        usage_basis=basis,
        output_basis=output_basis,
        output_tokens_estimated=None if estimated is None else checked_count("output_tokens_estimated", estimated),
        tier=_word(Tier, line, "tier", Tier.STANDARD),
        charges=charges(line),
        calls_count=checked_count("calls_count", line.get("calls_count", 1)),
        reported_cost_usd=checked_dollars(line.get("reported_cost_usd")),
        owner=Owner(**_texts(line, "owner", OWNER_FIELDS)),
        tags=_texts(line, "tags"),
        revision=checked_count("revision", line["revision"]) if "revision" in line else (usage or Usage()).total_tokens,
        anatomy=anatomy(line),
        turn=checked_count("turn", line.get("turn")),
        **texts,
    )
    if "kept_segments" in line:
        return Recorded(call)
    return Recorded(
        call,
        line.get("messages"),
        line.get("tools"),
        line.get("system"),
        segments=segments(line.get("segments")),
        reply=line.get("reply"),
    )


def charges(line: Record) -> Charges:
    """What a line says was charged beside the tokens.

    Raises:
        ValueError: a count or an amount is none.
    """
    given = line.get("requests") or {}
    if not isinstance(given, Mapping):
        raise ValueError("requests is no object")  # noqa: TRY004 - bad data, not a bad program
    requests = {label(unit): checked_count(f"requests.{unit}", count) for unit, count in given.items()}
    if searches := checked_count("web_searches", line.get("web_searches")):
        requests.setdefault(ChargedUnit.WEB_SEARCH, searches)
    caveats = line.get("caveats") or []
    if not isinstance(caveats, list):
        raise ValueError("caveats is no list")  # noqa: TRY004 - as above
    return Charges.of(
        region=label(line.get("region")),
        caveats=map(label, caveats),
        provider_cost_usd=checked_dollars(line.get("provider_cost_usd")),
        requests=requests,
        cache_miss=label(line.get("cache_miss")),
    )


def _counted_sides(buckets: Any) -> tuple[bool, bool]:
    """Whether input and output are counted: a bucket that is left out is 0, one that is null was not counted."""
    found = buckets if isinstance(buckets, Mapping) else {}
    null = {name for name in BUCKETS if name in found and found[name] is None}
    return not any(name not in _OUTPUT for name in null), not any(name in _OUTPUT for name in null)


def usage_from(buckets: Any) -> Usage | None:
    """The usage of a line, or None where it has none.

    Raises:
        ValueError: a name is no bucket, or a count is no count of tokens.
    """
    if buckets is None:
        return None
    if not isinstance(buckets, Mapping):
        raise ValueError("usage is no object")  # noqa: TRY004 - bad data, not a bad program
    _only("usage", buckets, BUCKETS)
    return Usage.checked(**buckets)


def anatomy(line: Record) -> Anatomy | None:
    """The change to the context before, where the line gives it; a whole context is compared by whoever reads it.

    Raises:
        ValueError: a segment is none.
    """
    named = _events(line)
    if "kept_segments" not in line:
        return Anatomy(events=named) if named and line.get("segments") else None
    kept = checked_count("kept_segments", line["kept_segments"])
    if kept and "kept_tokens" not in line:
        raise ValueError("kept_segments without kept_tokens")
    tokens = checked_count("kept_tokens", line.get("kept_tokens"))
    added = tuple(segments(line.get("segments")))
    return Anatomy(kept, tokens, added, label(line.get("break_cause")), named)


def _events(line: Record) -> tuple[str, ...]:
    events = line.get("events") or []
    if not isinstance(events, list):
        raise ValueError("events is no list")  # noqa: TRY004 - bad data, not a bad program
    return tuple(sorted({name for name in map(label, events) if name}))


def segments(listed: Any) -> list[Segment]:
    """Segments of a line.

    Raises:
        ValueError: one is none.
    """
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise ValueError("segments is no list of objects")
    return [_segment(one) for one in listed]


def _segment(one: Mapping[str, Any]) -> Segment:
    _only("a segment", one, SEGMENT_FIELDS)
    if "kind" not in one:
        raise ValueError("a segment has no kind")
    return Segment(
        kind=_word(SegmentKind, one, "kind", SegmentKind.USER),
        tokens=checked_count("tokens of a segment", one.get("tokens")),
        digest=_bytes(one, "digest"),
        tool=label(one.get("tool")),
        detail=_bytes(one, "detail"),
        is_error=one.get("is_error") is True,
        basis=_word(Basis, one, "basis", Basis.ESTIMATED),
    )


def _only(where: str, found: Mapping[str, Any], known: Iterable[str]) -> None:
    if unknown := sorted(set(found) - set(known)):
        raise ValueError(f"{where} has no field '{unknown[0]:.40}'; {accepted_are(sorted(known))}")


def _word(words: type[Word], holder: Mapping[str, Any], name: str, default: Word) -> Word:
    """The value of an enumeration, or the default where the field is absent."""
    if holder.get(name) is None:
        return default
    try:
        return words(holder[name])
    except ValueError:
        raise ValueError(f"{name} has another value; {accepted_are(words)}") from None


def _texts(line: Record, name: str, known: Iterable[str] = ()) -> dict[str, str]:
    found = line.get(name)
    if found is None:
        return {}
    if not isinstance(found, Mapping) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError(f"{name} is no object of texts")
    if known:
        _only(name, found, known)
    return {label(key): label(value) for key, value in found.items()}


def _bytes(one: Mapping[str, Any], name: str) -> bytes:
    try:
        return bytes.fromhex(one.get(name) or "")
    except (ValueError, TypeError):
        raise ValueError(f"{name} of a segment is no hexadecimal text") from None


def _digest_of(line: Record) -> str:
    """Identity of a line that names none: the same line again is the same call."""
    whole = json.dumps(line, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()


def recognises(path: Path, start_of_file: bytes) -> bool:
    del path
    names = fields_in(start_of_file)
    return {"model", "started"} <= names and bool(names & {"modicum", *BUCKETS})


FORMAT = LogFormat(
    name=NAME,
    title="modicum's own JSONL",
    recognises=recognises,
    read=read,
    checked_against="documentation",
)
