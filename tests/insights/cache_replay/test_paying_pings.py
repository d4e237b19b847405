import numpy as np

from insights.planted import READ, WRITE, Conversation, history_of, user
from modicum.calls import Segment, SegmentKind, Usage
from modicum.insights.cache_replay.paying_pings import count_paying
from modicum.insights.caching import Caching
from modicum.insights.finding import FindingClass
from modicum.insights.replay import Replay
from modicum.insights.what_if import parse_what_if
from modicum.metering.prices import PriceBook


def paused(*pauses_s):
    """A conversation that loses its cache in every pause of more than five minutes, and then writes all of it again."""
    talk = Conversation().call(Segment(SegmentKind.PREFIX, 10), user("q", 20_000))
    for number, pause in enumerate(pauses_s):
        more = {"usage": Usage(0, 0, talk.tokens + 100, 0, 30)} if pause > 300 else {}
        talk.call(user(f"r{number}", 100), after=pause, **more)
    return talk


def test_pings_are_sent_only_where_they_cost_less_than_writing_again():
    history = history_of(paused(20, 900, 10, 7200, 400))
    rates = np.full(history.calls, READ), np.full(history.calls, WRITE)

    counted = count_paying(Caching.compute(history), np.full(history.calls, 300), *rates)

    # 900 s take three pings at 0.5 a token against a write at 6.25; 7,200 s would take 26; none after the last call.
    assert counted.tolist() == [0, 3, 0, 0, 1, 0]


def test_no_number_of_pings_saves_more_than_the_best_ones():
    history, prices = history_of(paused(20, 900, 10, 7200, 400, 3000)), PriceBook()
    best = parse_what_if("keep_warm=5m:oracle", history, prices)
    replay = Replay(history, prices)

    assert best.finding_class is FindingClass.UPPER_BOUND
    saved = replay.run([best.change]).saving_usd
    assert saved > 0
    for pings in (1, 2, 3, 6, 12, 30):
        assert replay.run([parse_what_if(f"keep_warm=5m:{pings}", history, prices).change]).saving_usd < saved
