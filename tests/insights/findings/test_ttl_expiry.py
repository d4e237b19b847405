from datetime import timedelta

import pytest

from insights.planted import READ, START, WRITE, Conversation, history_of, user
from modicum.calls import Usage
from modicum.insights.finding import FindingClass
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


def test_first_calls_whose_shared_beginning_had_expired_are_found():
    def single(number):
        return Conversation(f"s{number}", start=START + timedelta(minutes=8 * number)).call(
            user("prompt", 12_000), user(f"question {number}", 300)
        )

    found = find(history_of(*(single(number) for number in range(5))))

    assert (found.calls, found.tokens) == (4, 48_000)
    assert found.finding_class is FindingClass.UPPER_BOUND


def test_a_day_of_openais_cache_is_advised_where_pauses_are_longer_than_an_hour():
    def talk():
        whole = Conversation(model="gpt-5.1", provider="openai").call(
            user("q", 20_000), usage=Usage(20_000, 0, 0, 0, 9)
        )
        return whole.call(user("back", 100), after=5400, usage=Usage(20_100, 0, 0, 0, 9))

    found = find(history_of(talk()))

    assert (found.calls, found.change.ttl_seconds.tolist()) == (1, [86_400, 86_400])
    assert '"prompt_cache_retention": "24h"' in found.remedy
    assert found.gross_usd == pytest.approx(20_000 * 1.25e-6)
