from modicum.calls import PromptEvent
from modicum.insights.cache_replay.cause_words import describe


def test_every_event_has_words_and_an_unknown_word_of_a_provider_stands_as_it_is():
    assert all(describe(event)[0] for event in PromptEvent)
    assert describe("tools_changed")[1]
    assert describe("service_tier_changed") == ("The provider says: service tier changed", "")
