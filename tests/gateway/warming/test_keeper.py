from decimal import Decimal

import pytest

from gateway.warming.warm_rig import warm_rig
from modicum.gateway.warming.keeper import FEWEST_PINGS, OwnerFigures


@pytest.fixture
def warm(tmp_path):
    with warm_rig(tmp_path) as rig:
        yield rig


def test_a_ping_renews_the_cache_and_is_metered_as_a_cost_of_its_own(warm):
    call = warm.call("hello")
    assert call.usage.cache_write_5m > 1024

    assert warm.ping(200, call) == 0  # nothing is due
    assert warm.ping(275, call) == 1
    ping = warm.rig.wait_for_records(2)[-1]

    assert ping.tags["cost_class"] == "keep_warm"
    assert ping.usage.cache_read == call.usage.cache_write_5m
    assert ping.usage.completion_tokens <= 1
    first, again = warm.mock.asked
    assert again == first | {"max_tokens": 1, "stream": False}
    (figures,) = warm.keeper.figures.values()
    assert figures.pings == 1
    assert figures.spent_usd >= ping.usage.cache_read * Decimal("0.0000003")


def test_the_next_call_after_a_pause_counts_as_saved(warm):
    call = warm.call("hello")
    warm.ping(275, call)
    (one,) = warm.keeper._conversations.values()
    one.answered_s -= 400  # its pause was longer than the cache would have lived

    warm.call("hello", "hi", "and more")

    (figures,) = warm.keeper.figures.values()
    assert figures.saved_usd > figures.spent_usd > 0
    assert warm.keeper.conversations == 1
    assert figures.times.replies == 1


def test_pings_end_when_they_no_longer_pay(warm):
    call = warm.call("hello")

    sent = [warm.ping(275 + 270 * number, call) for number in range(12)]

    assert 1 <= sum(sent) < 12
    assert sent == sorted(sent, reverse=True)
    assert warm.keeper.conversations == 0
    assert warm.keeper.held_bytes == 0


def test_a_ping_that_comes_too_late_is_not_sent(warm):
    call = warm.call("hello")

    assert warm.ping(310, call) == 0
    assert warm.keeper.conversations == 0


def test_a_credential_that_may_be_a_plans_is_never_pinged(warm):
    call = warm.call("hello", headers={"authorization": "Bearer a-token-of-somebody", "x-api-key": ""})

    assert warm.keeper.conversations == 0
    assert warm.ping(275, call) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000},
        {"mcp_servers": [{"type": "url", "url": "https://mcp.example.com", "name": "x"}]},
    ],
)
def test_what_could_make_more_than_the_smallest_reply_is_not_pinged(warm, fields):
    warm.call("hello", **fields)

    assert warm.keeper.conversations == 0


def test_agents_within_a_task_are_not_pinged(warm):
    warm.call("hello", headers={"x-modicum-agent": "explorer"})

    assert warm.keeper.conversations == 0


def test_a_conversation_goes_with_its_owners_choice(tmp_path):
    with warm_rig(tmp_path, keep_warm=False) as warm:
        warm.call("hello")
        assert warm.keeper.conversations == 0


def test_memory_is_bounded_and_the_oldest_goes_first(warm):
    warm.keeper._most_bytes = 45_000  # two requests of about 18 kB
    for name in ("one", "two", "three"):
        warm.call(name)

    assert warm.keeper.conversations == 2
    assert warm.keeper.held_bytes <= 45_000


def test_pings_reserve_on_budgets_and_end_where_one_is_used_up(tmp_path):
    budget = {"name": "calls", "per": "ever", "limit_calls": 2}
    with warm_rig(tmp_path, budget=(budget,)) as warm:
        call = warm.call("hello")

        assert warm.ping(275, call) == 1
        assert len(warm.rig.wait_for_records(2)) == 2
        warm.ping(545, call)  # refused: it would be the third call
        assert len(warm.mock.asked) == 2
        assert warm.keeper.conversations == 0


def test_an_owner_for_whom_it_does_not_pay_gets_no_more():
    figures = OwnerFigures(pings=FEWEST_PINGS, spent_usd=Decimal(2), saved_usd=Decimal(2))
    assert figures.is_stopped
    assert not OwnerFigures(pings=FEWEST_PINGS, spent_usd=Decimal(1), saved_usd=Decimal(2)).is_stopped
    assert not OwnerFigures(pings=1, spent_usd=Decimal(1)).is_stopped
