from datetime import timedelta

import pytest

from insights.planted import OUT, START, WRITE, Conversation, history_of, said, user
from modicum.calls import Tier
from modicum.insights.findings.wrong_lane import find


def lone(number, spacing=60, **fields):
    at = START + timedelta(seconds=number * spacing)
    return Conversation(f"job {number}", start=at, **fields).call(user(f"item {number}", 1000))


def test_twenty_lone_calls_within_an_hour_could_wait_for_a_batch():
    found = find(history_of(*(lone(number) for number in range(20))))

    assert found.calls == 20
    assert found.gross_usd == pytest.approx(20 * (1000 * WRITE + 30 * OUT))
    assert found.change.tier == "batch"


@pytest.mark.parametrize(
    "jobs",
    [
        [lone(number) for number in range(19)],
        [lone(number, spacing=400) for number in range(20)],
        [lone(number, tier=Tier.BATCH) for number in range(20)],
        [lone(number).call(said("and then")) for number in range(20)],
    ],
)
def test_few_slow_batched_or_spoken_with_calls_are_left_alone(jobs):
    assert find(history_of(*jobs)).calls == 0
