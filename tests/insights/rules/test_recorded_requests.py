"""Rules that read whole requests, on recorded ones: what a cache would have given with them and without."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from modicum.calls.prompt import VOLATILE_NOTE
from modicum.insights.rules.recorded_requests import MARKED, NO_CACHE, WHOLE, RecordedRequest, try_rules
from modicum.insights.rules.watched_results import NO_NEED
from modicum.metering.prices import PriceBook
from modicum.optimizers.all_rules import RULES
from modicum.optimizers.rule_choice import OwnerChoice, RuleChoice

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
RULE_TEXT = "\n".join(
    f"Rule {number}: answer briefly, name your sources and never guess at numbers." for number in range(200)
)


def tool(*keys):
    schema = {
        "type": "object",
        "properties": {name: {"type": "string", "description": "words " * 400} for name in keys},
    }
    return {"type": "function", "function": {"name": "search", "parameters": schema}}


def request(number, *, day=None, tools=(), after_s=0, model="gpt-4.1", dialect="openai-chat", **counted):
    system = RULE_TEXT if day is None else f"Current date: 2026-11-{day:02}\n{RULE_TEXT}"
    body = {
        "model": model,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": f"q{number}"}],
    }
    if tools:
        body["tools"] = list(tools)
    return RecordedRequest(AT + timedelta(seconds=after_s), dialect, model, json.dumps(body).encode(), **counted)


def tried(*requests, on=()):
    found = try_rules(requests, RuleChoice(RULES, (OwnerChoice(on=tuple(on)),)), PriceBook())
    return {row.rule: row for row in found.rules}, found


def test_a_date_in_front_loses_the_instructions_behind_it_and_moved_it_does_not():
    rows, found = tried(request(1, day=20), request(2, day=21, after_s=60))

    row = rows["cache.volatile_facts"]
    assert (row.calls, row.calls_on) == (2, 0)
    assert 3000 < found.read_more["cache.volatile_facts"] <= (len(RULE_TEXT) + len(VOLATILE_NOTE)) / 4
    assert found.read_more["cache.volatile_facts"] % 128 == 0
    assert row.expected_usd > 0
    assert found.read_more["cache.key_order"] == 0
    assert rows["cache.key_order"].expected_usd is None


def test_the_same_date_had_kept_its_cache_so_moving_it_brings_nothing():
    row, found = tried(request(1, day=20), request(2, day=20, after_s=60))

    assert found.read_more["cache.volatile_facts"] == 0
    assert row["cache.volatile_facts"].expected_usd <= 0  # the line that says so is sent, too


def test_keys_in_another_order_lose_all_behind_them():
    first, second = request(1, tools=[tool("b", "a")]), request(2, tools=[tool("a", "b")], after_s=60)
    rows, found = tried(first, second, on=["cache"])

    assert rows["cache.key_order"].calls == rows["cache.key_order"].calls_on > 0
    assert found.read_more["cache.key_order"] > 3000
    assert rows["cache.key_order"].expected_usd > 0


def test_what_comes_after_the_time_to_live_reads_nothing_either_way():
    _, found = tried(request(1, day=20), request(2, day=21, after_s=301))

    assert set(found.read_more.values()) == {0}


def test_what_the_provider_counted_stands_beside_and_scales_tokens():
    counted = {"prompt_tokens": 8000, "cache_read": 128}
    _, plain = tried(request(1, day=20), request(2, day=21, after_s=60))
    _, found = tried(request(1, day=20, **counted), request(2, day=21, after_s=60, **counted))

    assert (found.requests_counted, found.read_as_counted, found.read_as_worked_out) == (2, 256, 0)
    assert found.read_more["cache.volatile_facts"] > 1.5 * plain.read_more["cache.volatile_facts"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"model": "claude-opus-4-5", "dialect": "anthropic-messages"}, MARKED),
        ({"model": "somebody-s-own"}, NO_CACHE),
        ({"model": "deepseek-chat"}, WHOLE),
    ],
)
def test_where_a_cache_cannot_be_worked_out_it_is_said_and_nothing_is_counted(fields, reason):
    rows, found = tried(request(1, day=20, **fields), request(2, day=21, after_s=60, **fields))

    assert rows["cache.volatile_facts"].why_not[reason] == 2
    assert found.read_more["cache.volatile_facts"] == 0


def test_requests_that_nobody_can_take_apart_are_no_failure():
    broken = RecordedRequest(AT, "openai-chat", "gpt-4.1", b'{"model":"gpt-4.1","messages":[null,5]}')
    rows, found = tried(broken, request(1))

    assert {row.calls for row in rows.values()} == {0}
    assert rows["cache.volatile_facts"].why_not[NO_NEED] >= 1
    assert set(found.read_more.values()) == {0}
