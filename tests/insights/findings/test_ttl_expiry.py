import pytest

from insights.planted import READ, WRITE, Conversation, history_of, user
from modicum.calls import Usage
from modicum.insights.findings.ttl_expiry import find
from modicum.insights.replay import Replay
from modicum.metering.prices import PriceBook


def paused(after, *, held=20_000, rewritten=True, **fields):
    talk = Conversation(**fields).call(user("q", held))
    usage = Usage(0, 0, held + 100, 0, 30) if rewritten else Usage(0, held, 100, 0, 30)
    return talk.call(user("back", 100), after=after, usage=usage)


def test_a_context_written_again_after_twenty_minutes_is_found_and_priced():
    history = history_of(paused(1200))

    found = find(history)

    assert (found.calls, found.tokens, found.examples) == (1, 20_000, ("t.1",))
    assert found.gross_usd == pytest.approx(20_000 * WRITE)
    saved = Replay(history, PriceBook()).run([found.change]).saving_usd
    assert saved == pytest.approx(20_000 * (WRITE - READ) - 20_100 * 0.75 * 5e-6)


@pytest.mark.parametrize("after", [200.0, 4000.0])
def test_short_pauses_and_those_of_more_than_an_hour_are_not_counted(after):
    assert find(history_of(paused(after, rewritten=after > 3600))).calls == 0


def test_what_was_kept_for_an_hour_already_is_no_finding():
    talk = Conversation().call(user("q", 20_000), usage=Usage(0, 0, 0, 20_000, 30))
    history = history_of(talk.call(user("back", 100), after=1200, usage=Usage(0, 20_000, 0, 100, 30)))

    found = find(history)

    assert (found.calls, found.change) == (0, None)


def test_without_times_it_says_what_it_lacks():
    talk = Conversation().call(user("q", 9000), after=0, lasts=0).call(user("r", 10), after=0, lasts=0)

    assert "times of calls" in find(history_of(talk)).lacks
