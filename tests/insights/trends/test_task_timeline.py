from datetime import timedelta
from decimal import Decimal

import pytest

from ledger.samples import START
from modicum.calls import Basis
from modicum.insights.trends.task_timeline import build_timeline


def row(number, read, written, **fields):
    return {
        "entry_id": f"c{number}",
        "conversation": "k",
        "started": START + timedelta(minutes=number),
        "finished": None,
        "model": "m",
        "agent": "",
        "status": "ok",
        "finish_reason": "",
        "break_cause": "",
        "cache_miss": "",
        "calls_count": 1,
        "prompt_tokens": read + written,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "completion_tokens": 1,
        "cost_usd": Decimal(1),
        "cost_basis": "exact",
    } | fields


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"break_cause": "tools_changed"}, "tools changed"),
        ({"cache_miss": "ttl", "break_cause": "x"}, "ttl"),
        ({"model": "other"}, "another model"),
        ({"started": START + timedelta(minutes=50)}, "a pause of 49 minutes"),
        ({}, "no cause on record"),
        ({"conversation": "another"}, ""),
        ({"cache_read_tokens": 950}, ""),
    ],
)
def test_why_a_cache_was_lost(fields, cause):
    line = build_timeline([row(1, 0, 1000), row(2, 0, 1000, **fields)])

    assert line.steps[1].cause == cause
    assert line.breaks == bool(cause)
    assert line.written_again_tokens == (1000 if cause else 0)


def test_unknown_costs_are_no_zeros():
    line = build_timeline([row(1, 0, 0, cost_usd=None, cost_basis="unknown"), row(2, 0, 0, cost_basis="lower_bound")])

    assert (line.cost_usd, line.basis, line.calls_unpriced) == (Decimal(1), Basis.LOWER_BOUND, 1)
    assert build_timeline([row(1, 0, 0, cost_usd=None, cost_basis="unknown")]).cost_usd is None
    assert build_timeline([]).calls_count == 0


def test_what_went_wrong_is_said():
    line = build_timeline([row(1, 0, 0, finish_reason="length"), row(2, 0, 0, status="cancelled")])

    assert [step.remark for step in line.steps] == ["cut off at the output limit", "cancelled"]
