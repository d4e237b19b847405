from datetime import UTC, datetime
from decimal import Decimal

import pytest

from modicum.calls import Segment, SegmentKind
from modicum.calls.change import Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import AnatomyPrompt
from modicum.calls.rates import Rates
from modicum.calls.rule import NetSaving, Rule, RuleEffect, Safety
from modicum.optimizers.net_saving import weigh, weigh_tokens
from modicum.optimizers.running import AnatomyCall, run_rules

MILLIONTH = Decimal(1) / 1_000_000
RATES = Rates.of_text(
    input_uncached=10 * MILLIONTH,
    cache_read=1 * MILLIONTH,
    cache_write_5m=Decimal("12.5") * MILLIONTH,
    cache_write_1h=20 * MILLIONTH,
    output_visible=50 * MILLIONTH,
    output_reasoning=50 * MILLIONTH,
)
PROMPT = AnatomyPrompt([Segment(SegmentKind.USER, 100), Segment(SegmentKind.TOOL_RESULT, 1000), *(
    Segment(SegmentKind.USER, 900) for _ in range(2)
)])  # fmt: skip
WITHOUT_RESULT = Change(left_out=frozenset({1}), why="test")


def facts(**others):
    return Facts(at=datetime(2026, 11, 1, tzinfo=UTC), model="m", rates=lambda _: RATES, **others)


def warm(tokens, **others):
    return facts(cached_tokens=tokens, since_last_call_s=10.0, turn=4, **others)


def test_what_is_not_in_the_cache_saves_its_write_and_later_reads():
    saved = weigh_tokens(PROMPT, warm(100, later_calls=3), WITHOUT_RESULT)

    assert saved == NetSaving(1000, 0, Decimal(12500) * MILLIONTH + 3000 * MILLIONTH, is_certain=True)


def test_what_stands_in_the_cache_costs_a_write_of_all_behind_it():
    saved = weigh_tokens(PROMPT, warm(2900, later_calls=3), WITHOUT_RESULT)

    # 1,000 tokens saved as reads, now and three times; 1,800 written again instead of read
    assert saved.tokens_broken == 1800
    assert saved.usd == 4000 * MILLIONTH - 1800 * Decimal("11.5") * MILLIONTH
    assert not saved.is_positive


def test_a_cache_that_has_expired_breaks_nothing():
    cold = facts(cached_tokens=2900, since_last_call_s=400.0, turn=4)

    assert weigh_tokens(PROMPT, cold, WITHOUT_RESULT).tokens_broken == 0
    long = facts(cached_tokens=2900, since_last_call_s=400.0, cached_for_s=3600.0, turn=4)
    assert weigh_tokens(PROMPT, long, WITHOUT_RESULT).tokens_broken == 1800


@pytest.mark.parametrize(
    ("is_cache_safe", "rules_before", "broken"),
    [(True, None, 0), (False, None, 1800), (True, frozenset(), 1800), (False, frozenset({"toy.cut"}), 0)],
)
def test_what_was_changed_before_in_the_same_way_stands_so_in_the_cache(is_cache_safe, rules_before, broken):
    rule = Rule("toy.cut", lambda *_: WITHOUT_RESULT, Safety.LOSSY, is_cache_safe)

    assert weigh(rule, PROMPT, warm(2900, rules_before=rules_before), WITHOUT_RESULT).tokens_broken == broken


def test_without_a_price_only_what_saves_at_any_price_is_done():
    priceless = Facts(at=datetime(2026, 11, 1, tzinfo=UTC), model="m", turn=0)

    assert weigh_tokens(PROMPT, priceless, WITHOUT_RESULT).is_positive
    unknown = Facts(at=datetime(2026, 11, 1, tzinfo=UTC), model="m")
    assert not weigh_tokens(PROMPT, unknown, WITHOUT_RESULT).is_positive


def test_a_rule_whose_net_saving_is_negative_does_not_act_and_says_why():
    rule = Rule("toy.cut", lambda *_: WITHOUT_RESULT, Safety.LOSSY)
    call = AnatomyCall(PROMPT, warm(2900))

    (decision,) = run_rules((rule,), call)

    assert decision.effect is RuleEffect.NOT_WORTH
    assert decision.why == "it would cost $0.019700 more than it saves"
    assert call.prompt is PROMPT
    (decision,) = run_rules((rule,), AnatomyCall(PROMPT, warm(100)))
    assert decision.effect is RuleEffect.CHANGED
    assert decision.expected.tokens_removed == 1000
