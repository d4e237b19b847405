"""Entries and records to fill a ledger with."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from modicum.calls import (
    Anatomy,
    Basis,
    BucketCosts,
    Call,
    CallStatus,
    Charges,
    Cost,
    Edit,
    EnergyWindow,
    Entry,
    Owner,
    Reuse,
    Segment,
    SegmentKind,
    Tier,
    Usage,
)

START = datetime(2026, 2, 3, 10, tzinfo=UTC)


EVER = {"since": datetime(1990, 1, 1, tzinfo=UTC), "until": datetime(2200, 1, 1, tzinfo=UTC)}


def entry(entry_id="c1", usd="0.25", **fields):
    told = {
        "call_id": entry_id,
        "source": "test",
        "provider": "anthropic",
        "model": "opus",
        "started": START,
        "usage": Usage(10, 20, 0, 40, 50, 60),
    }
    cost = Cost.unknown()
    if usd is not None:
        cost = Cost(Decimal(usd), Basis.EXACT, BucketCosts(input_uncached=Decimal(usd)), "genai-prices", "1", 12.5)
    return Entry(Call(**(told | fields)), cost)


FULL = entry(
    first_token=START + timedelta(seconds=2),
    finished=START + timedelta(seconds=4, microseconds=1),
    status=CallStatus.ERROR,
    finish_reason="length",
    usage_basis=Basis.ESTIMATED,
    output_basis=Basis.LOWER_BOUND,
    output_tokens_estimated=99,
    tier=Tier.BATCH,
    charges=Charges(
        {"web_search": 1, "pages": 3}, "us", ("usage.new_tokens",), Decimal("0.25"), cache_miss="tools_changed"
    ),
    calls_count=2,
    reported_cost_usd=Decimal("0.1234567891"),
    task="it's; DROP TABLE entries",
    conversation="t/a",
    turn=3,
    agent="a",
    project='/home/ada/"shop"',
    branch="b",
    client_version="2.1.39",
    owner=Owner("team", "app", "ada", "k1"),
    tags={"env": "prod", 'quote"d': "x"},
    place="progress",
    revision=7,
    anatomy=Anatomy(
        2, 30, (Segment(SegmentKind.TOOL_RESULT, 5, b"0" * 16, "Read", b"1" * 16, is_error=True),), "rewind", ("skill",)
    ),
    edits=(
        Edit("team_plan.hide", 40, 30, "2 messages"),
        Edit("team_plan.model", why="opus to haiku", basis=Basis.EXACT),
    ),
)


def read(share, later_calls, entry_id="c1"):
    part = Segment(SegmentKind.TOOL_RESULT, 900, b"\x01", "Read", reuse=Reuse(share, later_calls))
    return entry(entry_id, anatomy=Anatomy(0, 0, (part, part)))


def window(**fields):
    told = {
        "started": START.timestamp() + 0.123456,
        "seconds": 5.5,
        "gpus": ("GPU-0", "GPU-1"),
        "servers": ("http://127.0.0.1:8000",),
        "provider": "own",
        "joules": 1234.5,
        "counted": True,
        "generated_tokens": 900.0,
        "prompt_tokens": 100.0,
        "cached_tokens": None,
        "steps": 80.0,
        "running_seconds": 11.0,
        "busy_seconds": 5.5,
    }
    return EnergyWindow(**(told | fields))
