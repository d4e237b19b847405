"""The status line of Claude Code: what the session cost, and until when its prompt cache is warm."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

TAIL_BYTES = 262_144
"""Read of a transcript, from its end: the last reply is in it."""
MINUTES_5, HOUR = timedelta(minutes=5), timedelta(hours=1)


def status_line(event: bytes, now: datetime) -> str:
    """One line; empty where the event says nothing of this. Times are those of this machine's clock and zone."""
    payload = json.loads(event)
    cost = payload.get("cost")
    usd = cost.get("total_cost_usd") if isinstance(cost, dict) else None
    parts = [f"${usd:.2f}"] if isinstance(usd, int | float) else []
    path = payload.get("transcript_path")
    if isinstance(path, str) and (cache := cache_part(Path(path), now)):
        parts.append(cache)
    return " | ".join(parts)


def cache_part(transcript: Path, now: datetime) -> str:
    """Until when the next turn reads the cache, by the last reply in a transcript; empty: none is there."""
    reply = _last_reply(transcript)
    if reply is None:
        return ""
    usage, at = reply
    made = usage.get("cache_creation")
    is_hour = isinstance(made, dict) and bool(made.get("ephemeral_1h_input_tokens"))
    tokens = _count(usage, "cache_read_input_tokens") + _count(usage, "cache_creation_input_tokens")
    if not tokens:
        return "nothing cached"
    ends = at + (HOUR if is_hour else MINUTES_5)
    size = f"{tokens / 1000:.0f}k tokens"
    clock = ends.astimezone(now.tzinfo).strftime("%H:%M")
    return f"cache warm until {clock} ({size})" if now < ends else f"cache cold since {clock}: {size} are written anew"


def _last_reply(transcript: Path) -> tuple[Mapping[str, Any], datetime] | None:
    """Usage and time of the last reply of the main conversation."""
    try:
        with transcript.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            lines = file.read().split(b"\n")
    except OSError:
        return None
    for line in reversed(lines):
        if b'"usage"' not in line:
            continue
        try:
            row = json.loads(line)
            if row.get("isSidechain"):
                continue
            return row["message"]["usage"], datetime.fromisoformat(row["timestamp"])
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return None


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) else 0
