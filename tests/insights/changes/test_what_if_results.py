from insights.changes.test_waiting import planted
from insights.planted import PRICES
from modicum.insights.changes.what_if_results import replay_what_ifs
from modicum.insights.replay import Replay
from modicum.insights.what_if import parse_what_if


def test_what_ifs_say_seconds_where_the_same_models_answer():
    history = planted()
    asked = [parse_what_if(text, history, PRICES) for text in ("cap_output=1", "tier=batch", "cache_ttl=off")]

    capped, batch, uncached = replay_what_ifs(Replay(history, PRICES), asked)

    assert batch.waiting is None
    assert capped.waiting.seconds == 0
    assert uncached.waiting.high_s < 0 > uncached.saving_usd
