"""The status line of Claude Code: what the session and the day cost, what is left of the plan's windows, and until when
the prompt cache is warm.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from modicum.calls.words.percentages import percent

TAIL_BYTES = 262_144
"""Read of a transcript, from its end: the last reply is in it."""
_LATEST_S = 4e9
"""A time that is no later than any that a clock says."""
MINUTES_5, HOUR = timedelta(minutes=5), timedelta(hours=1)


def answer_status(arguments: list[str], event: bytes) -> str:
    """What is printed for an event; nothing whatever goes wrong.

    Args:
        arguments: `status-line`, the agent's name, the folder of the hooks.
        event: as the agent writes it.
    """
    try:
        return status_line(event, datetime.now(UTC).astimezone(), Path(arguments[2]))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
        # Named here: `contain` would load all of `calls`, which takes longer than the line itself.
        return ""


def status_line(event: bytes, now: datetime, folder: Path | None = None) -> str:
    """One line; empty where the event says nothing of this. Times are those of this machine's clock and zone.

    Args:
        event: as Claude Code writes it.
        now: with its zone.
        folder: where the hooks keep what was spent; None: only the session is shown.
    """
    payload = json.loads(event)
    cost = payload.get("cost")
    usd = cost.get("total_cost_usd") if isinstance(cost, dict) else None
    spent = float(usd) if isinstance(usd, int | float) and not isinstance(usd, bool) else None
    parts = [] if spent is None else [f"${spent:.2f}"]
    windows = plan_parts(payload, now)
    if spent is not None and folder is not None:
        parts += _spend_parts(payload, spent, now, folder, is_block_shown=not windows)
    parts += windows
    path = payload.get("transcript_path")
    if isinstance(path, str) and (cache := cache_part(Path(path), now)):
        parts.append(cache)
    return " | ".join(parts)


def plan_parts(payload: Mapping[str, Any], now: datetime) -> list[str]:
    """What Claude Code itself says of a subscription's windows; empty: it says nothing (an API key, an old version)."""
    limits = payload.get("rate_limits")
    parts = []
    for name, title in (("five_hour", "5 h"), ("seven_day", "week")):
        window = limits.get(name) if isinstance(limits, dict) else None
        used = window.get("used_percentage") if isinstance(window, dict) else None
        if not isinstance(window, dict) or not isinstance(used, int | float):
            continue
        parts.append(f"{title}: {percent(1 - used / 100, 0)} left{_until(window.get('resets_at'), now)}")
    return parts


def _until(resets_at: Any, now: datetime) -> str:
    if not isinstance(resets_at, int | float) or not 0 < resets_at < _LATEST_S:
        return ""
    at = datetime.fromtimestamp(resets_at, now.tzinfo)
    return f" until {at:%H:%M}" if at - now < timedelta(days=1) else f" until {at:%a %H:%M}"


def _spend_parts(
    payload: Mapping[str, Any], usd: float, now: datetime, folder: Path, *, is_block_shown: bool
) -> list[str]:
    from modicum.hooks.spend_memory import SpendMemory, block_of  # a line without sums is drawn without it

    session = payload.get("session_id")
    if not isinstance(session, str) or not session:
        return []
    cost = payload["cost"]
    took = cost.get("total_duration_ms")
    now_s = now.timestamp()
    begun_s = now_s - took / 1000 if isinstance(took, int | float) else None
    steps = SpendMemory(folder).add(session, usd, now_s, begun_s)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    parts = [f"today ${sum(spent for at, spent in steps.items() if at >= midnight):.2f}"]
    if is_block_shown and (block := block_of(steps, now_s)):
        left = int(block[1] - now_s) // 60
        parts.append(f"block ${block[0]:.2f}, {left // 60} h {left % 60:02} min left")
    return parts


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
