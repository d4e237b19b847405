"""A tool that is answered here."""

from modicum.calls.own_tool import OwnTool


def test_its_tokens_are_those_of_all_that_is_sent_of_it():
    short, long = OwnTool("a", "b", {}), OwnTool("a", "b" * 400, {"type": "object"})

    assert 0 < short.tokens < 20
    assert long.tokens - short.tokens > 95
