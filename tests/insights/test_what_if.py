from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from insights.planted import OUT, PLAIN, PRICES, READ, WRITE, Conversation, history_of, tool_round, user
from modicum.calls import Usage, UserError
from modicum.insights.finding import FindingClass
from modicum.insights.replay import Replay
from modicum.insights.what_if import parse_what_if
from modicum.optimizers.all_rules import RULES

HISTORY = history_of(
    Conversation(model="claude-opus-4-5-20251101").call(user("q", 5000)).call(*tool_round("Read", "a", "text", 3000))
)


def test_changes_are_read_as_people_type_them():
    assert parse_what_if("cache_ttl=1h", HISTORY, PRICES).change.ttl_seconds.tolist() == [3600, 3600]
    assert parse_what_if("cap_tool_results=2000", HISTORY, PRICES).change.segment_tokens.tolist() == [5000, 20, 2000]
    assert parse_what_if("cap_output=9", HISTORY, PRICES).change.max_output_tokens.tolist() == [9, 9]
    assert parse_what_if("tier=batch", HISTORY, PRICES).change.tier == "batch"
    swap = parse_what_if("model:claude-opus-4-5=claude-haiku-4-5", HISTORY, PRICES)
    assert swap.change.models == {"claude-opus-4-5-20251101": "claude-haiku-4-5"}


TOOLS = history_of(
    Conversation(model="claude-opus-4-5-20251101")
    .call(user("q", 5000))
    .call(*tool_round("Read", "a", "text", 3000))
    .call(*tool_round("mcp__x__list", "b", "rows", 3000)),
    Conversation("sub", model="claude-opus-4-5-20251101", agent="a1").call(user("look", 4000)),
)


def test_a_cap_is_for_the_tools_that_are_named():
    sizes = {
        text: parse_what_if(text, TOOLS, PRICES).change.segment_tokens.tolist()
        for text in ("cap_tool_results:mcp__*=500", "cap_tool_results:Bash,Read=500", "cap_tool_results=500")
    }
    capped = {text: [size for size in row if size == 500] for text, row in sizes.items()}

    assert [len(row) for row in capped.values()] == [1, 1, 2]
    assert [sum(row) for row in sizes.values()] == [12540, 12540, 10040]


def test_subagents_alone_go_to_a_smaller_model():
    change = parse_what_if("subagent_model=claude-haiku-4-5", TOOLS, PRICES).change

    assert [TOOLS.agents[code] for code in TOOLS.agent[change.model_calls]] == ["a1"]
    assert change.models == {"claude-opus-4-5-20251101": "claude-haiku-4-5"}
    assert Replay(TOOLS, PRICES).run([change]).saving_usd == pytest.approx(4000 * 5e-6 + 30 * 20e-6, rel=0.3)


def test_rules_can_be_for_some_tools():
    shares = {"lossless": np.where(TOOLS.segment_tokens == 3000, 0.5, 1.0)}
    history = replace(TOOLS, shortened_shares=shares)

    change = parse_what_if("rules:Read=lossless", history, PRICES).change

    assert sorted(change.segment_tokens.tolist()) == [20, 20, 1500, 3000, 4000, 5000]


def test_what_touches_quality_is_headroom():
    classes = [
        parse_what_if(text, HISTORY, PRICES).finding_class
        for text in ("cache_ttl=5m", "cap_tool_results=1", "model:claude-opus-4-5=claude-haiku-4-5")
    ]

    assert classes == [FindingClass.REPLAYED, FindingClass.HEADROOM, FindingClass.HEADROOM]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cache_ttl=2h", "no change that can be replayed called 'cache_ttl=2h'; accepted are cache_ttl=5m"),
        ("cap_tool_results:=1", "no change that can be replayed"),
        ("cap_output:Read=1", "no change that can be replayed"),
        ("beginnings=fat", "no change that can be replayed"),
        ("subagent_model=mystery", "no price is known for the model 'mystery'"),
        ("cap_tool_results=-1", "no change that can be replayed"),
        ("cap_tool_results=99999999999999999999", "no change that can be replayed"),
        ("nonsense", "no change that can be replayed"),
        ("model:gpt-9=gpt-5", "no call to 'gpt-9'; accepted are claude-opus-4-5-20251101"),
        ("model:claude-opus-4-5=mystery", "no price is known for the model 'mystery'"),
        ("tier=first", "no change that can be replayed"),
    ],
)
def test_what_cannot_be_replayed_says_what_can(text, reason):
    with pytest.raises(UserError, match=reason):
        parse_what_if(text, HISTORY, PRICES)


def history_with(model, provider):
    talk = Conversation(model=model, provider=provider, start=datetime(2026, 9, 1, tzinfo=UTC))
    return history_of(talk.call(user("q", 5000)).call(user("more", 100)))


@pytest.mark.parametrize(
    ("model", "provider", "text", "reason"),
    [
        ("gpt-5.1", "openai", "cache_ttl=off", "no request can forbid it; what can be set there: .*cache_ttl=24h"),
        ("gpt-5.1", "openai", "cache_ttl=1h", "offers no such time to live"),
        ("gemini-2.5-flash", "google", "cache_ttl=off", "nothing about the cache can be set there"),
        ("deepseek-chat", "deepseek", "cache_ttl=5m", "nothing about the cache can be set there"),
        ("claude-opus-4-5", "anthropic", "cache_ttl=12h", "cache_ttl=5m, cache_ttl=1h, cache_ttl=off"),
        ("gpt-5.6-sol", "openai", "cache_ttl=5m", "cache_ttl=30m, cache_ttl=12h, cache_ttl=off"),
    ],
)
def test_a_switch_that_a_provider_does_not_have_is_refused_with_those_that_it_has(model, provider, text, reason):
    with pytest.raises(UserError, match=reason):
        parse_what_if(text, history_with(model, provider), PRICES)


def test_in_a_mixed_history_only_calls_whose_provider_offers_it_change():
    history = history_of(
        Conversation("a").call(user("q", 5000)),
        Conversation("b", model="gpt-5.1", provider="openai").call(user("q", 9)),
    )

    assert parse_what_if("cache_ttl=1h", history, PRICES).change.ttl_seconds.tolist() == [3600, -1]


def test_pings_keep_a_cache_over_a_pause_and_are_paid_also_after_the_last_call():
    talk = Conversation().call(user("q", 20_000), lasts=0)
    usage = Usage(0, 0, 20_100, 0, 30)
    history = history_of(talk.call(user("back", 100), after=900, usage=usage, lasts=0))

    change = parse_what_if("keep_warm=5m:3", history, PRICES).change
    saved = Replay(history, PRICES).run([change]).saving_usd

    paid = 3 * 20_000 * READ + 3 * 20_100 * READ + 6 * OUT
    assert saved == pytest.approx(20_000 * (WRITE - READ) - paid)


@pytest.mark.parametrize(
    "text", ["keep_warm=5m", "keep_warm=5m:0", "keep_warm=2h:1", "keep_warm=off:1", "keep_warm=5m:-1"]
)
def test_policies_of_pings_that_make_no_sense_are_refused(text):
    with pytest.raises(UserError, match="no change that can be replayed"):
        parse_what_if(text, HISTORY, PRICES)


def test_pings_are_refused_where_writes_cost_nothing():
    with pytest.raises(UserError, match="no main agent's call in this history writes to a cache that is billed"):
        parse_what_if("keep_warm=24h:1", history_with("gpt-5.1", "openai"), PRICES)


def test_as_many_pings_as_pay_at_the_days_prices_are_replayed():
    auto = parse_what_if("keep_warm=auto", HISTORY, PRICES).change
    three = parse_what_if("keep_warm=5m:3", HISTORY, PRICES).change

    # a read costs a tenth of input here: three pay (tests/metering/test_return_times.py)
    assert set(auto.pings.tolist()) == {3}
    assert auto.pings.tolist() == three.pings.tolist()
    assert auto.ttl_seconds.tolist() == three.ttl_seconds.tolist()


def test_rules_for_content_are_replayed_with_the_shares_that_the_import_saw():
    shares = np.ones(HISTORY.segments)
    shares[-1] = 0.2501
    watched = replace(HISTORY, shortened_shares={"content.cut": shares})

    assert parse_what_if("rules=content.cut", watched, PRICES).change.segment_tokens.tolist() == [5000, 20, 751]
    assert Replay(watched, PRICES).run([parse_what_if("rules=lossless", watched, PRICES).change]).saving_usd == 0
    with pytest.raises(UserError, match="no set of rules 'everything'; accepted are lossless"):
        parse_what_if("rules=everything", watched, PRICES)


def test_breakpoints_are_set_where_nobody_has_set_any():
    history = history_of(
        Conversation("plain", cached=False).call(user("q", 5000)).call(user("more", 1000)).call(user("end", 10)),
        Conversation("marked").call(user("r", 5000)).call(user("more", 1000)),
    )

    change = parse_what_if("rules=cache.breakpoints", history, PRICES).change

    assert change.ttl_seconds.tolist() == [-1, -1, -1, 300, 300]
    saved = (6000 + 6010) * PLAIN - 6000 * WRITE - (6000 * READ + 10 * WRITE)
    assert Replay(history, PRICES).run([change]).saving_usd == pytest.approx(saved, rel=0.02)
    marked = history_of(Conversation("marked").call(user("r", 5000)).call(user("more", 1000)))
    assert parse_what_if("rules=cache.breakpoints", marked, PRICES).change.is_nothing


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("cache.volatile_facts", "and no line"),
    ],
)
def test_rules_whose_saving_is_in_no_log_say_why_and_what_to_do(rule, why):
    with pytest.raises(
        UserError, match=rf"{why}.*explain --requests FILE.* send calls through the gateway with on = \["
    ):
        parse_what_if(f"rules={rule}", HISTORY, PRICES)


def test_a_guard_needs_tool_calls_and_is_for_all_tools():
    plain = history_of(Conversation().call(user("q", 9)))

    with pytest.raises(UserError, match="do not show tool calls and their answers"):
        parse_what_if("rules=guard.loop_stop", plain, PRICES)
    with pytest.raises(UserError, match=r"for some tools alone: write rules=guard\.loop_stop"):
        parse_what_if("rules:Read=guard.loop_stop", HISTORY, PRICES)


def test_every_rule_of_the_list_is_replayed_or_says_why_not():
    refused = set()
    for rule in RULES:
        try:
            parse_what_if(f"rules={rule.name}", HISTORY, PRICES)
        except UserError:
            refused.add(rule.name)

    of_schemas = {"cache.tool_order", "cache.key_order", "tools.on_demand"}
    assert refused == {*of_schemas, "cache.volatile_facts", "cache.key"}


def test_code_as_skeletons_is_an_upper_bound_or_says_what_to_install(monkeypatch):
    text = "rules=content.code_skeleton"
    watched = replace(HISTORY, shortened_shares={"content.code_skeleton": np.array([1.0, 1.0, 0.5])})

    seen, unseen = parse_what_if(text, watched, PRICES), parse_what_if(text, HISTORY, PRICES)

    assert seen.change.segment_tokens.tolist() == [5000, 20, 1500]
    assert (seen.finding_class, "read again" in seen.notes[0]) == (FindingClass.UPPER_BOUND, True)
    assert (unseen.change.is_nothing, "imported again" in unseen.notes[0]) == (True, True)
    monkeypatch.setattr("modicum.insights.what_if.why_unread", lambda: "pip install 'modicum[code]'")
    with pytest.raises(UserError, match=r"pip install 'modicum\[code\]'; then import the logs once more"):
        parse_what_if(text, HISTORY, PRICES)
    assert parse_what_if(text, watched, PRICES).change.segment_tokens.tolist() == [5000, 20, 1500]
