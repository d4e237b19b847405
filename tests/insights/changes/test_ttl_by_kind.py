import pytest

from insights.planted import PRICES, Conversation, history_of, tool_round, user
from modicum.calls import UserError
from modicum.insights.replay import Replay
from modicum.insights.what_if import parse_what_if


def planted(**fields):
    """Main agents whose users come back after half an hour, and subagents that work without a pause."""
    made = []
    for number in range(12):
        main = Conversation(f"m{number}", **fields).call(user(f"q{number}", 30_000))
        sub = Conversation(f"s{number}", agent="a", **fields).call(user(f"look {number}", 30_000))
        for step in range(4):
            main.call(*tool_round("Read", f"{number}.{step}", f"text {number}.{step}", 200), after=1800)
            sub.call(*tool_round("Read", f"{number}.{step}", f"seen {number}.{step}", 200))
        made += [main, sub]
    return history_of(*made)


def test_each_kind_gets_the_time_that_pays_for_it():
    history = planted()
    what_if = parse_what_if("cache_ttl=per_kind", history, PRICES)
    replays = Replay(history, PRICES)
    shares = {
        text: replays.run([parse_what_if(text, history, PRICES).change]).saving_share
        for text in ("cache_ttl=1h", "cache_ttl=5m")
    }

    chosen = {history.agents[agent]: ttl for agent, ttl in zip(history.agent, what_if.change.ttl_seconds, strict=True)}
    assert chosen[""] == 3600
    assert chosen["a"] in {300, -1}
    assert replays.run([what_if.change]).saving_share > max(shares.values()) > 0
    assert any("main agent, reads (60 calls): 1h (5m" in note for note in what_if.notes)
    assert what_if.notes[0].startswith("the best that an agent's settings give, one for all: +")


def test_where_no_time_can_be_set_the_reason_is_said():
    history = planted(model="deepseek-chat", provider="deepseek")

    with pytest.raises(UserError, match="cannot be set for deepseek-chat"):
        parse_what_if("cache_ttl=per_kind", history, PRICES)
