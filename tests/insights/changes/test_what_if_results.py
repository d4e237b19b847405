from datetime import UTC, datetime

import pytest

from insights.changes.test_waiting import planted
from insights.planted import PRICES
from modicum.insights.changes.what_if_results import OFFERED, replay_rules, replay_what_ifs
from modicum.insights.replay import Replay
from modicum.insights.what_if import parse_what_if
from modicum.optimizers.all_rules import RULES


def test_what_ifs_say_seconds_where_the_same_models_answer():
    history = planted()
    asked = [parse_what_if(text, history, PRICES) for text in ("cap_output=1", "tier=batch", "cache_ttl=off")]

    capped, batch, uncached = replay_what_ifs(Replay(history, PRICES), asked)

    assert batch.waiting is None
    assert capped.waiting.seconds == 0
    assert uncached.waiting.high_s < 0 > uncached.saving_usd


def test_every_rule_is_replayed_or_says_why_not_and_sets_stand_at_both_prices():
    replays = Replay(planted(), PRICES)
    found = replay_rules(replays, PRICES, datetime(2026, 11, 30, tzinfo=UTC))

    names = [one.name for one in (*found.rules, *found.not_replayed)]
    assert sorted(names) == sorted(OFFERED)
    assert {f"rules={rule.name}" for rule in RULES} < set(names)
    assert {"rules=cache.volatile_facts", "rules=cache.tool_order"} <= {one.name for one in found.not_replayed}
    assert (found.today.day, found.today.lossless.name) == ("2026-11-30", found.lossless.name)
    assert found.today.cost_usd == pytest.approx(replays.recorded.total_usd)  # this model costs what it did
    assert replay_rules(replays, PRICES).today is None
