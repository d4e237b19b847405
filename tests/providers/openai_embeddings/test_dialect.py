from modicum.calls import SegmentKind
from modicum.providers.blocks import Block
from modicum.providers.openai_embeddings.dialect import DIALECT


def test_a_request_tells_its_facts():
    facts = DIALECT.request(b'{"model":"text-embedding-3-small","input":["a","b"],"user":"u-1"}', "/v1/embeddings")
    assert (facts.model, facts.stream, facts.user) == ("text-embedding-3-small", False, "u-1")
    assert DIALECT.request(b'{"input":"a"}', "/openai/deployments/vectors/embeddings").model == "vectors"


def test_each_input_is_a_document():
    assert DIALECT.segments(b'{"input":"one"}') == [Block(SegmentKind.DOCUMENT, "one")]
    assert [block.text for block in DIALECT.segments(b'{"input":["one","two"]}')] == ["one", "two"]
    assert [block.text for block in DIALECT.segments(b'{"input":[[1,2],[3]]}')] == ["[1,2]", "[3]"]
    assert [block.text for block in DIALECT.segments(b'{"input":[1,2]}')] == ["[1,2]"]
