"""The mock provider's prompt cache."""

from modicum.calls import SegmentKind
from modicum.providers.blocks import Block
from modicum.providers.mock import prompt_cache
from modicum.providers.mock.prompt_cache import PromptCache, tokens_of

SYSTEM = Block(SegmentKind.SYSTEM, "Tides of the Baltic. " * 300)
HELLO = Block(SegmentKind.USER, "hello")
BYE = Block(SegmentKind.USER, "bye")


def test_a_block_has_a_token_for_four_characters_and_three_of_its_own():
    assert tokens_of(Block(SegmentKind.USER, "12345678")) == 5
    assert tokens_of(Block(SegmentKind.TOOL_SCHEMA, "1234", tool="abcd")) == 5


def test_the_second_prompt_reads_what_it_shares_with_the_first():
    cache = PromptCache()

    assert cache.longest_seen("m", [SYSTEM, HELLO]) == 0
    assert cache.longest_seen("m", [SYSTEM, BYE]) == tokens_of(SYSTEM)
    assert cache.longest_seen("m", [SYSTEM, HELLO]) == tokens_of(SYSTEM) + tokens_of(HELLO)


def test_only_a_leading_part_counts():
    cache = PromptCache()
    cache.longest_seen("m", [SYSTEM, HELLO])

    assert cache.longest_seen("m", [HELLO, SYSTEM]) == 0


def test_models_share_nothing():
    cache = PromptCache()
    cache.longest_seen("one model", [SYSTEM])

    assert cache.longest_seen("another", [SYSTEM]) == 0


def test_a_short_prompt_is_not_cached():
    cache = PromptCache()
    cache.longest_seen("m", [HELLO])

    assert cache.longest_seen("m", [HELLO]) == 0


def test_the_prompt_that_was_used_longest_ago_is_forgotten_first(monkeypatch):
    monkeypatch.setattr(prompt_cache, "MOST_PREFIXES", 2)
    cache = PromptCache()
    for model in ("a", "b", "a", "c"):
        cache.longest_seen(model, [SYSTEM])

    assert cache.longest_seen("a", [SYSTEM]) == tokens_of(SYSTEM)
    assert cache.longest_seen("b", [SYSTEM]) == 0
