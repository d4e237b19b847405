from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.calls import Owner
from modicum.gateway.limits import limit_plan
from modicum.gateway.limits.limit_plan import LimitPlan
from modicum.governance.limits import RateLimit, RateUnit, amount_of

NAMES = st.sampled_from(["", "a", "b"])
PATTERNS = st.sampled_from(["", "*", "a", "b"])
LIMITS = st.builds(
    RateLimit,
    name=st.sampled_from(["one", "other"]),
    most=st.dictionaries(st.sampled_from(list(RateUnit)), st.integers(0, 50), min_size=1),
    team=PATTERNS,
    app=PATTERNS,
    user=PATTERNS,
    key=PATTERNS,
    upstream=PATTERNS,
    model=st.sampled_from(["", "gpt-*", "claude-*"]),
)
OWNERS = st.builds(Owner, team=NAMES, app=NAMES, user=NAMES, key=NAMES)
CALLS = st.tuples(OWNERS, st.sampled_from(["gpt-4o", "gpt-4o-2024-08-06", "claude-x"]), NAMES, st.integers(0, 100))


def slowly(limits, owner, model, upstream, tokens):
    lines = []
    for limit in limits:
        instance = limit.instance_of(owner, model, upstream)
        for unit, most in limit.most.items() if instance is not None else ():
            amount = amount_of(limit, unit, tokens) if most else 1
            lines.append((limit, unit, "\x1f".join(("limit", limit.name, unit, *instance)), amount, most))
    return lines


@settings(max_examples=60)
@given(st.lists(LIMITS, max_size=4), st.lists(CALLS, max_size=8))
def test_a_call_counts_where_each_limit_alone_says(limits, calls):
    plan = LimitPlan(limits)

    for call in calls:
        lines = plan.lines(*call)
        assert [(one.limit, one.unit, one.line.counter, one.line.amount, one.line.limit) for one in lines] == slowly(
            limits, *call
        )


def test_no_more_callers_are_kept_than_fit(monkeypatch):
    monkeypatch.setattr(limit_plan, "MOST_KEPT", 3)
    plan = LimitPlan([RateLimit(name="each", most={RateUnit.CALLS: 5}, key="*")])

    counters = [plan.lines(Owner(key=f"{number}"), "m", "u", 1)[0].line.counter for number in range(8)]

    assert len(set(counters)) == 8
    assert len(plan._kept) <= 3
    assert plan
    assert not LimitPlan()
