from datetime import timedelta

import numpy as np
import pytest

from insights.planted import PRICES, Conversation, history_of, result, user
from modicum.insights.changes.waiting import FEWEST_CALLS, fit_first_token_time, waiting_saved
from modicum.insights.finding import HistoryChange
from modicum.insights.replay import Replay

CALL_S, COMPUTED_S, READ_S = 1.0, 0.4e-3, 0.02e-3


def planted(sessions=12, **fields):
    """Conversations whose first tokens took so long, as a line through their prompts says, with some noise."""
    random = np.random.default_rng(1)
    made = []
    for number in range(sessions):
        session = Conversation(f"s{number}", **fields).call(user(f"q{number}", 4000))
        for step in range(20):
            tokens = int(random.integers(100, 8000))
            wait = CALL_S + COMPUTED_S * tokens + READ_S * session.tokens + random.exponential(0.05)
            if "source" not in fields:
                started = session.at + timedelta(seconds=5)
                session.call(user(f"{number}.{step}", tokens), first_token=started + timedelta(seconds=wait), lasts=60)
            else:
                session.call(result("Read", f"{number}.{step}", f"{number}.{step}", tokens), after=wait)
        made.append(session)
    return history_of(*made)


@pytest.mark.parametrize(("fields", "basis"), [({}, "measured"), ({"source": "claude-code"}, "estimated")])
def test_what_a_token_takes_is_read_from_the_log(fields, basis):
    time = fit_first_token_time(planted(**fields)).time

    assert time.basis == basis
    assert time.computed_s == pytest.approx(0.4, rel=0.1)
    assert time.read_s == pytest.approx(0.02, rel=0.3)
    assert time.computed_low_s <= time.computed_s <= time.computed_high_s


def test_a_change_saves_what_its_tokens_take():
    history = planted()
    half = HistoryChange(segment_tokens=history.segment_tokens // 2)
    replayed = Replay(history, PRICES).run([half])

    saved = waiting_saved(history, replayed)

    computed = (replayed.base.prompt - replayed.base.read - replayed.changed.prompt + replayed.changed.read).sum()
    read = (replayed.base.read - replayed.changed.read).sum()
    assert saved.seconds == pytest.approx(COMPUTED_S * computed + READ_S * read, rel=0.1)
    assert saved.low_s <= saved.seconds <= saved.high_s
    assert saved.per_call_s == pytest.approx(saved.seconds / history.calls)


def test_no_change_saves_no_second_and_a_call_less_saves_its_own():
    history = planted()
    replays = Replay(history, PRICES)
    last = np.arange(history.calls) == history.calls - 1

    assert waiting_saved(history, replays.run([])).seconds == 0
    assert waiting_saved(history, replays.run([HistoryChange(dropped_calls=last)])).seconds > CALL_S


def test_where_no_first_token_shows_nothing_is_said_and_the_reason_is():
    history = history_of(Conversation().call(user("q", 5000)).call(user("more", 100)))

    time = fit_first_token_time(history).time
    assert (time.basis, time.computed_s) == ("", None)
    assert f"at least {FEWEST_CALLS} are needed" in time.why_unknown
    assert waiting_saved(history, Replay(history, PRICES).run([])) is None


def test_a_person_who_was_asked_in_between_is_no_wait_for_a_model():
    fit = fit_first_token_time(planted(source="claude-code")).time
    slow = [Conversation(f"p{one}", source="claude-code").call(user(f"p{one}", 10)) for one in range(5)]
    for session in slow:
        session.call(result("Bash", "rm", "done", 50), after=250)
    history = history_of(*slow)

    assert fit_first_token_time(history).time.calls == 0
    assert fit.calls == 240
