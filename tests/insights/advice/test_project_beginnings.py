import pytest

from insights.planted import PRICES, Conversation, history_of, tool_round, user
from modicum.calls import Segment, SegmentKind
from modicum.insights.advice.project_beginnings import compare_beginnings, lean_beginnings
from modicum.insights.replay import Replay


def talk(name, project, tokens, *, named="", agent="", source="test"):
    parts = [Segment(SegmentKind.PREFIX, tokens)]
    if named:
        parts.append(Segment(SegmentKind.SYSTEM, 2_000, b"", named))
    return (
        Conversation(name, project=project, agent=agent, source=source)
        .call(*parts, user(name, 100))
        .call(*tool_round("mcp__tickets__list", name, f"rows {name}", 200))
        .call(user(f"more {name}", 50))
    )


FAT = [talk(f"f{number}", "fat", 40_000, named="CLAUDE.md") for number in range(3)]
LEAN = [talk(f"l{number}", "lean", 25_000) for number in range(3)]
ODD = [talk("o", "odd", 10_000)]
SUB = [talk("s", "fat", 15_000, agent="a1")]
HISTORY = history_of(*FAT, *LEAN, *ODD, *SUB)


def test_each_project_is_set_beside_the_leanest_that_is_an_example():
    rows = {row.project: row for row in compare_beginnings(HISTORY)}

    assert list(rows) == ["fat", "lean", "odd"]
    assert [row.excess_tokens for row in rows.values()] == [17_000, 0, 0]  # one odd conversation is no example
    assert rows["fat"].conversations == 3
    assert rows["fat"].parts == {"CLAUDE.md": 2_000}
    assert rows["fat"].servers == {"tickets": 4}
    assert rows["lean"].subagents_usd == 0 < rows["fat"].subagents_usd


def test_all_beginnings_are_in_the_rows():
    rows = compare_beginnings(HISTORY)
    # Written once, read twice, by each conversation.
    per_token = 6.25e-6 + 2 * 0.5e-6

    assert sum(row.cost_usd + row.subagents_usd for row in rows) == pytest.approx(
        per_token * (3 * 42_000 + 3 * 25_000 + 10_000 + 15_000)
    )
    assert rows[0].excess_usd == pytest.approx(per_token * 3 * 17_000, rel=1e-3)


def test_the_change_takes_just_the_excess_of_the_main_agent():
    change = lean_beginnings(HISTORY)

    assert int((HISTORY.segment_tokens - change.segment_tokens).sum()) == pytest.approx(3 * 17_000, abs=10)
    saved = Replay(HISTORY, PRICES).run([change]).saving_usd
    assert saved == pytest.approx(compare_beginnings(HISTORY)[0].excess_usd, rel=0.02)


def test_another_agent_is_no_example():
    bot = [talk(f"b{number}", "bot", 500, source="other") for number in range(3)]

    rows = {row.project: row for row in compare_beginnings(history_of(*FAT, *LEAN, *bot))}

    assert {name: row.excess_tokens for name, row in rows.items()} == {"fat": 17_000, "lean": 0, "bot": 0}
    assert {row.client for row in rows.values()} == {"test", "other"}


def test_one_project_or_none_has_nothing_to_learn():
    assert lean_beginnings(history_of(*LEAN)).is_nothing
    bare = history_of(Conversation().call(user("q", 5000)))
    assert compare_beginnings(bare) == []
    assert lean_beginnings(bare).is_nothing
