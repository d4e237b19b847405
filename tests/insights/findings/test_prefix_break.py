import pytest

from insights.planted import READ, WRITE, Conversation, history_of, user
from modicum.calls import Anatomy, Usage
from modicum.insights.finding import FindingClass
from modicum.insights.findings.prefix_break import find
from modicum.insights.replay import Replay
from modicum.metering.prices import PriceBook


def broken(cause="", read=0, held=20_000, **fields):
    """A second call that reads almost nothing of what the first left, in time."""
    talk = Conversation().call(user("q", held))
    if cause:
        fields["anatomy"] = Anatomy(0, 0, (user("q", held), user("r", 100)), cause)
    return talk.call(user("r", 100), usage=Usage(0, read, held + 100 - read, 0, 30), **fields)


def test_changed_tools_break_the_prefix_and_the_replay_says_what_that_cost():
    history = history_of(broken("tools"))

    found = find(history)

    assert (found.calls, found.tokens, found.finding_class) == (1, 20_000, FindingClass.REPLAYED)
    assert found.gross_usd == pytest.approx(20_000 * WRITE)
    assert found.details == {"no_cause_on_record_calls": 0, "calls, tools": 1}
    saved = Replay(history, PriceBook()).run([found.change]).saving_usd
    assert saved == pytest.approx(20_000 * (WRITE - READ))


def test_a_break_without_a_cause_on_record_makes_it_an_upper_bound():
    found = find(history_of(broken(read=2000)))

    assert (found.calls, found.tokens, found.finding_class) == (1, 18_000, FindingClass.UPPER_BOUND)


@pytest.mark.parametrize("cause", ["compaction", "rewind"])
def test_what_somebody_wanted_is_no_break(cause):
    assert find(history_of(broken(cause))).calls == 0


def test_pauses_other_models_and_shrunken_prompts_are_no_breaks():
    shrunk = Conversation().call(user("q", 20_000)).call(usage=Usage(0, 0, 9000, 0, 1))

    assert find(history_of(broken(after=400))).calls == 0
    assert find(history_of(broken(model="claude-sonnet-4-5"))).calls == 0
    assert find(history_of(shrunk)).calls == 0
