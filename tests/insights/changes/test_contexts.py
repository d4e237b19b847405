import numpy as np
import pytest
from msgspec.structs import replace

from insights.planted import PRICES, Conversation, history_of, result, said, tool_round, user
from modicum.calls import Segment, SegmentKind, UserError
from modicum.insights.changes.contexts import Contexts, is_context_change, parse_context_change
from modicum.insights.finding import FindingClass
from modicum.insights.replay import Replay
from modicum.insights.what_if import parse_what_if

SYSTEM, SUMMARY = Segment(SegmentKind.SYSTEM, 9000, b"s" * 16), Segment(SegmentKind.SUMMARY, 2000, b"m" * 16)


def run(history, text):
    what_if = parse_what_if(text, history, PRICES)
    assert what_if.finding_class is FindingClass.HEADROOM
    return Replay(history, PRICES).run([what_if.change]), what_if.change


def session(*later):
    """A conversation of 30,000 tokens, compacted once where `later` says so."""
    made = Conversation(model="claude-opus-4-5").call(SYSTEM, user("q", 1000))
    for number in range(4):
        made.call(*tool_round("Edit", f"f{number}", f"text {number}", 5000))
    if later:
        made.compact(*later)
        last = made.entries[-1]
        anatomy = replace(last.call.anatomy, break_cause="compaction")
        made.entries[-1] = replace(last, call=replace(last.call, anatomy=anatomy))
    return made


def test_a_new_session_after_a_pause_costs_what_it_costs_to_begin_one():
    went_on = session().call(user("again", 200), after=7200).call(*tool_round("Edit", "g", "more", 300))
    began_anew = session().compact(user("again", 200)).call(*tool_round("Edit", "g", "more", 300))

    replayed, change = run(history_of(went_on), "new_session=60")
    other = Replay(history_of(began_anew), PRICES)

    assert np.flatnonzero(change.starts_over).tolist() == [5]
    assert replayed.changed.prompt.tolist() == other.history.prompt.tolist()
    assert replayed.changed.cost_usd[6] == pytest.approx(other.base.cost_usd[6])  # the call before found a cold cache
    assert replayed.saving_usd > 0


def test_what_is_carried_into_a_new_session_is_paid():
    history = history_of(session().call(user("again", 200), after=7200))

    bare, carried = (run(history, text)[0].changed.prompt[-1] for text in ("new_session=60", "new_session=60:3000"))

    assert (bare, carried) == (9200, 12200)


def test_compactions_come_where_they_were_asked_for_and_nowhere_else():
    history = history_of(session(SUMMARY, user("go on", 100)).call(*tool_round("Edit", "z", "end", 500)))
    recorded = history.prompt.tolist()

    later, change = run(history, "compact_at=100000")
    earlier, sooner = run(history, "compact_at=20000")

    assert not change.starts_over.any()
    assert later.changed.prompt.tolist() == [*recorded[:5], recorded[4] + 100, recorded[4] + 620]
    assert later.changed.read[5] == recorded[4]  # nothing was cut, so all of it is read
    assert np.flatnonzero(sooner.starts_over).tolist() == [2, 4]
    assert earlier.changed.prompt.max() <= 20_000


def test_a_compaction_itself_is_paid():
    history = history_of(session(SUMMARY, user("go on", 100)))
    _, change = run(history, "compact_at=20000")

    costs = [float(change.extra_usd[call]) for call in (2, 5)]
    assert costs[0] == pytest.approx(15_020 * 0.5e-6 + 2000 * 25e-6, rel=0.01)
    assert costs[1] == pytest.approx(-(30_080 * 0.5e-6 + 2000 * 25e-6), rel=0.01)


def test_reading_is_left_to_a_subagent_and_the_main_context_stays_small():
    made = session()
    for number in range(5):
        made.call(*tool_round("Read", f"r{number}", f"page {number}", 4000))
    history = history_of(made.call(said("so"), user("next", 50)).call(*tool_round("Edit", "z", "end", 500)))

    replayed, change = run(history, "subagents=5:800")

    inside, outside = slice(5, 10), 10
    assert len(set(change.conversation[inside].tolist()) | {0}) == 2
    assert replayed.changed.prompt[5] == 9000 + 4020
    assert replayed.changed.prompt[9] == 9000 + 5 * 4020
    assert replayed.changed.prompt[outside] == history.prompt[4] + 800 + 70
    assert replayed.changed.read[outside] == history.prompt[4]
    assert change.extra_usd.sum() == pytest.approx(9000 * 0.5e-6)


PLAIN = history_of(session().call(result("Read", "a", "b", 10)))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("compact_at=50000", "no compaction is on record here"),
        ("compact_at=10000:2000", "11,000 tokens and more stand after a compaction"),
        ("new_session=60", "no user came back to a main agent after 60 minutes"),
        ("subagents=3", "no subagent is on record here"),
        ("subagents=3:900", "no main agent made 3 calls in a row"),
        ("subagents=3:999999999", "no context is longer than 1,000,000 tokens"),
    ],
)
def test_what_cannot_be_said_is_refused_with_what_is_missing(text, why):
    with pytest.raises(UserError, match=why):
        parse_context_change(text, PLAIN, PRICES)


def test_logs_without_content_show_no_contexts():
    with pytest.raises(UserError, match="no log of a main agent shows what its prompts held"):
        parse_context_change("new_session=60", history_of(Conversation(anatomy=None).call()), PRICES)


@pytest.mark.parametrize(
    "text", ["compact_at=0", "new_session=x", "subagents=4:", "compact_at=9999999999", "subagents"]
)
def test_other_forms_are_none(text):
    assert not is_context_change(text)


def test_subagents_are_no_main_agents():
    assert not Contexts.read(history_of(session(), Conversation("sub", agent="a1").call(user("x", 5)))).main[0]
