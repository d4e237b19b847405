from modicum.calls import SegmentKind
from modicum.providers.blocks import Block
from modicum.providers.openai_moderations.dialect import DIALECT


def test_a_moderation_may_name_no_model_and_tells_no_usage():
    assert DIALECT.request(b'{"input":"x"}', "/v1/moderations").model == "omni-moderation-latest"
    assert DIALECT.segments(b'{"input":["a","b"]}') == [Block(SegmentKind.DOCUMENT, text) for text in "ab"]
    facts = DIALECT.reply(b'{"id":"modr-1","model":"omni-moderation-2024-09-26","results":[]}')
    assert (facts.usage, facts.complete, facts.model) == (None, True, "omni-moderation-2024-09-26")
    assert DIALECT.reply(b"x").problem
    assert DIALECT.tail(usage_asked=True).facts().usage is None
