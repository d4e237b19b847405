from datetime import UTC, datetime
from decimal import Decimal
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Call, Usage
from modicum.calls.rates import Rates, RateStep
from modicum.governance.budgets import NANO, Amounts
from modicum.governance.worst_case import CallBound, sum_amounts, worst_amounts
from modicum.ledger.booking import bucket_costs


def rates(in_usd="0.000001", **more):
    one = Decimal(in_usd)
    named = {"input_uncached": one, "cache_read": one / 10, "cache_write_5m": one * 2, "cache_write_1h": one * 2}
    named |= {"output_visible": one * 5, "output_reasoning": one * 5}
    return Rates.of_text(**(named | more))


def flat(*one):
    return tuple(RateStep(above, rate) for above, rate in one)


BOUND = CallBound(1000, 100, may_cache=False)


def test_all_tokens_cost_what_they_cost_at_most():
    assert worst_amounts(BOUND, [flat((-1, rates()))]) == Amounts(1_500_000, 1500)


def test_the_dearest_bucket_and_lane_count():
    cached = CallBound(1000, 100)

    assert worst_amounts(cached, [flat((-1, rates()))]).nano_usd == 2_500_000
    assert worst_amounts(BOUND, [flat((-1, rates())), flat((-1, rates("0.000002")))]).nano_usd == 3_000_000


def test_steps_of_larger_prompts_count_where_the_prompt_may_be_so_large():
    steps = flat((-1, rates()), (999, rates("0.000002")), (1000, rates("0.000004")))

    assert worst_amounts(BOUND, [steps]).nano_usd == 3_000_000


def test_without_a_price_nothing_is_known():
    assert worst_amounts(BOUND, [(), ()]) == Amounts(None, None)


def test_a_free_model_has_no_weight():
    assert worst_amounts(BOUND, [flat((-1, rates("0")))]) == Amounts(0, None)


def test_tools_of_the_provider_are_charged_and_have_the_prompt_read_again():
    bound = CallBound(1000, 100, tool_uses=2, may_cache=False)
    fees = rates(fees={"web_search": Decimal("0.01")})

    assert worst_amounts(bound, [flat((-1, fees))]).nano_usd == 3_500_000 + 20_000_000


PARTS_USD = st.decimals("0", "0.01", places=11)
LANES = st.lists(
    st.lists(st.tuples(st.sampled_from([-1, 99, 100, 200_000]), PARTS_USD, PARTS_USD, PARTS_USD), max_size=3),
    max_size=3,
)


@given(LANES, st.integers(0, 300_000), st.integers(0, 100_000), st.integers(0, 3), st.tuples(*[st.booleans()] * 3))
def test_whole_numbers_say_what_decimal_dollars_say(lanes, inward, outward, uses, flags):
    """The reference: the formula in dollars, step by step."""
    bound = CallBound(inward, outward, uses, *flags)
    steps = [
        tuple(
            RateStep(above, rates(plain, input_image=media, output_audio=media, request=fee, fees={"search": fee}))
            for above, plain, media, fee in lane
        )
        for lane in lanes
    ]
    due = []
    for step in (step for lane in steps for step in lane if not 0 <= step.above_tokens >= inward):
        one = step.rates
        into = [one.input_uncached]
        into += [one.cache_write_5m] if bound.may_cache else []
        into += [one.input_image] if bound.has_media else []
        out = max(one.output_visible, one.output_audio) if bound.makes_media else one.output_visible
        usd = (1 + uses) * (inward * max(into) + one.request) + outward * out + uses * one.fees["search"]
        due.append((usd, usd / one.input_uncached if one.input_uncached else None))
    usd = max((usd for usd, _ in due), default=None)
    weighs = max((weighs for _, weighs in due if weighs is not None), default=None)

    assert worst_amounts(bound, steps) == Amounts(
        None if usd is None else ceil(usd * NANO), None if weighs is None else ceil(weighs)
    )


def test_several_models_are_added_up_and_unknown_stays_unknown():
    assert sum_amounts([Amounts(1, 2), Amounts(3, 4)]) == Amounts(4, 6)
    assert sum_amounts([Amounts(1, 2), Amounts(None, 4)]) == Amounts(None, 6)


COUNTS = st.lists(st.integers(0, 500), min_size=6, max_size=6)


@given(COUNTS, st.integers(1, 10_000))
def test_no_usage_within_the_bound_costs_more(counts, millionths):
    one = rates(str(Decimal(millionths) / 10**9))
    usage = Usage(*counts)
    bound = CallBound(usage.prompt_tokens, usage.completion_tokens)
    call = Call(call_id="a", source="t", provider="p", model="m", started=datetime(2026, 1, 1, tzinfo=UTC), usage=usage)

    worst = worst_amounts(bound, [flat((-1, one))])

    assert bucket_costs(call, one).total * 10**9 <= worst.nano_usd
