from datetime import UTC, datetime, timedelta

from modicum.calls import Call, Owner, Usage
from modicum.calls.change import Change
from modicum.calls.rule import NetSaving, Rule, Safety
from modicum.governance.agent_tree import AgentLimits
from modicum.insights.rules.rule_explanations import NO_SHORT_CACHE, SEMANTIC_CACHE, ChosenFeatures, explain
from modicum.ledger.booking import book
from modicum.ledger.opening import open_store
from modicum.metering.prices import PriceBook
from modicum.optimizers.cache_lifetimes import FEWEST_PAUSES
from modicum.optimizers.rule_choice import AGENT_GUARD, CACHE_TTL, KEEP_WARM, OwnerChoice, RuleChoice

AT = datetime(2026, 2, 3, tzinfo=UTC)
SPAN = AT - timedelta(days=1), AT + timedelta(days=1)


def call(number, model="claude-opus-4-5", **fields):
    usage = Usage(cache_read=40_000, cache_write_5m=5_000, output_visible=100)
    at = AT + timedelta(seconds=number)
    more = {"call_id": f"msg_{number}", "source": "test", "provider": "anthropic", "model": model, "started": at}
    return Call(**more | {"finished": at, "usage": usage, "task": "t", "conversation": "c"} | fields)


def ledger(*calls):
    store = open_store(":memory:")
    prices = PriceBook()
    store.append([book(one, prices) for one in calls])
    return store


CAP = Rule(
    "toy.cap",
    lambda *_: Change(most_output_tokens=5, why="test"),
    Safety.LOSSY,
    purpose="caps",
    weigh=lambda *_: NetSaving(3, 0, None, is_certain=True),
)


def test_every_rule_is_explained_with_its_calls_and_reasons():
    store = ledger(call(1), call(2, agent="helper"), call(3, usage=Usage(input_uncached=10)))

    cap, agents, beginnings, ttl, warm, cache = explain(store, RuleChoice((CAP,)), PriceBook(), SPAN)

    assert (cap.rule, cap.calls, cap.calls_on, cap.tokens_removed) == ("toy.cap", 3, 0, 9)
    assert cap.why_not == {"it is lossy, so its owner has to choose it": 3}
    assert (agents.rule, agents.calls, agents.expected_usd) == (AGENT_GUARD, 0, None)
    assert agents.why_not == {
        "no agent within a task makes it": 2,
        "its owner has to choose it: [[agent_guard]] in modicum.toml; 1 agent of one task at most": 1,
    }
    assert (beginnings.rule, beginnings.calls, beginnings.why_not) == (
        "cache.beginnings",
        0,
        {"there is nothing for it to do": 3},
    )
    assert (ttl.rule, ttl.calls, ttl.expected_usd, list(ttl.why_not.values())) == (CACHE_TTL, 0, None, [3])
    assert (warm.rule, warm.calls, warm.calls_on) == (KEEP_WARM, 1, 0)
    assert warm.expected_usd > 0
    assert warm.why_not == {
        "it is a call of an agent within a task": 1,
        "it left nothing in a cache": 1,
        "its owner has to choose it: keep_warm = true in [optimize]": 1,
    }
    assert (cache.rule, cache.calls, cache.expected_usd, cache.calls_undecided) == (SEMANTIC_CACHE, 0, None, 3)
    assert cache.why_not["its owner has to choose it: [[semantic_cache]] in modicum.toml"] == 3


def test_one_call_is_explained_with_what_its_owner_chose():
    store = ledger(call(1, owner=Owner("web")), call(2))
    first = store.ask("rule_calls", since=SPAN[0], until=SPAN[1])
    entry_id = next(row["entry_id"] for row in first if row["team"] == "web")

    cap, *_, cache = explain(
        store, RuleChoice((CAP,), (OwnerChoice("web", on=("toy",)),)), PriceBook(), SPAN, call_id=entry_id
    )

    assert (cap.calls, cap.calls_on, cap.why_not) == (1, 1, {})
    assert cache.calls_undecided == 1


def test_agents_are_placed_as_the_gateway_would():
    store = ledger(
        call(1, conversation="m"),
        call(2, agent="a", conversation="a"),
        call(3, agent="b", conversation="b", tags={"parent": "a"}, owner=Owner("web")),
        call(4, agent="c", conversation="c", tags={"parent": "a"}),
        call(5, agent="b", conversation="b", tags={"parent": "a"}, owner=Owner("web")),
    )

    def guard(owner, _model):
        return AgentLimits(most_depth=1) if owner.team == "web" else None

    row = next(
        one
        for one in explain(store, RuleChoice(()), PriceBook(), SPAN, ChosenFeatures(agent_limits=guard))
        if one.rule == AGENT_GUARD
    )

    assert (row.calls, row.calls_on, row.calls_undecided) == (2, 2, 0)
    assert row.why_not["this agent stands at level 2 of agents that start agents, and 1 level may be"] == 2
    assert sum(row.why_not.values()) == 5


def test_times_to_live_are_explained_by_what_their_owner_allows():
    pause = timedelta(minutes=30)
    calls = [
        call(
            number,
            started=AT + pause * number,
            finished=AT + pause * number,
            conversation="a" if number <= FEWEST_PAUSES else "b",
            usage=Usage(cache_write_5m=45_000),
        )
        for number in range(FEWEST_PAUSES + 4)
    ]
    store, span = ledger(*calls), (AT - timedelta(days=1), AT + timedelta(days=10))

    rows = {
        choice: next(
            row
            for row in explain(store, RuleChoice(()), PriceBook(), span, ChosenFeatures(ttl_choice=choice))
            if row.rule == CACHE_TTL
        )
        for choice in ("leave", "shorten", "choose")
    }

    assert [(row.calls, row.calls_on) for row in rows.values()] == [(3, 0), (0, 0), (3, 3)]
    assert rows["choose"].expected_usd == rows["leave"].expected_usd > 0
    assert rows["leave"].why_not["its owner has to choose it: cache_ttl in [optimize]"] == 3
    forbidden = "an hour would pay, and its owner allows none: cache_ttl = 'choose' in [optimize]"
    assert rows["shorten"].why_not[forbidden] == 3


def test_a_model_without_a_cache_of_five_minutes_is_said_to_have_none_alone_and_beside_one_that_has():
    other = call(2, "gpt-5-mini", provider="openai", conversation="d")
    for calls in ([other], [other, call(1)]):
        warm = next(row for row in explain(ledger(*calls), RuleChoice(()), PriceBook(), SPAN) if row.rule == KEEP_WARM)

        assert warm.calls == len(calls) - 1
        assert warm.why_not[NO_SHORT_CACHE] == 1
        assert not [reason for reason in warm.why_not if "keep_warm=auto" in reason or "expected to pay" in reason]
