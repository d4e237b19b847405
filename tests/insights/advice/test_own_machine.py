from decimal import Decimal

import msgspec
import pytest

from insights.advice.test_likely_models import DEAR
from modicum.insights.advice.own_machine import OwnMachine, price_on_own_machine

SIMPLE = msgspec.structs.replace(
    DEAR,
    tools="no tools",
    completion_tokens=3_600_000,
    largest_call_tokens=4_000,
    cost_usd=Decimal(4),
)
MACHINE = OwnMachine(Decimal("0.8"), 1_000.0, 250.0)


def test_simple_calls_take_hours_dollars_and_energy():
    cost = price_on_own_machine(SIMPLE, MACHINE)

    assert (cost.model, cost.busy_hours, cost.kwh) == ("granite-4.0-micro", 1.0, 0.25)
    assert cost.usd_at_full_load == pytest.approx(Decimal("0.8"))
    assert cost.break_even_share == pytest.approx(0.2)


def test_without_watts_there_is_no_energy_and_a_machine_that_is_too_dear_breaks_even_nowhere():
    cost = price_on_own_machine(SIMPLE, OwnMachine(Decimal(9), 1_000.0))

    assert (cost.kwh, cost.break_even_share) == (None, None)


@pytest.mark.parametrize(
    "change",
    [
        {"tools": "reads"},
        {"tools": "unknown"},
        {"largest_call_tokens": 200_000},
        {"completion_tokens": 0},
        {"cost_usd": None},
        {"calls_unpriced": 1},
    ],
)
def test_calls_that_are_not_simple_or_not_known_have_no_such_candidate(change):
    assert price_on_own_machine(msgspec.structs.replace(SIMPLE, **change), MACHINE) is None
