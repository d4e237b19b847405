from datetime import UTC, datetime

import pytest

from modicum.calls import Call, Usage
from modicum.metering.waived import is_waived

REFUSED = {
    "call_id": "c",
    "source": "t",
    "provider": "anthropic",
    "model": "claude-opus-4-8",
    "started": datetime(2026, 9, 1, tzinfo=UTC),
    "finish_reason": "refusal",
    "usage": Usage(100_000),
}


def test_a_refusal_before_any_output_is_free():
    assert is_waived(Call(**REFUSED))


@pytest.mark.parametrize(
    "fields",
    [
        {"started": datetime(2026, 6, 1, 23, 59, tzinfo=UTC)},
        {"usage": Usage(100_000, output_visible=1)},
        {"provider": "aws"},
        {"finish_reason": "end_turn"},
    ],
    ids=["before the rule", "after output", "another seller", "no refusal"],
)
def test_everything_else_is_charged(fields):
    assert not is_waived(Call(**REFUSED | fields))
