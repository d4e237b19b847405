import pytest

from modicum.calls import SegmentKind, Usage
from modicum.providers.blocks import Block
from modicum.providers.facts import DialectError
from modicum.providers.gemini_embeddings.dialect import DIALECT

ONE = b'{"content":{"parts":[{"text":"a"}]}}'
TWO = b'{"requests":[{"content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"inlineData":{}}]}}]}'


def test_the_path_names_model_and_method():
    path = "/v1beta/models/gemini-embedding-001:embedContent"
    assert DIALECT.request(ONE, path).model == "gemini-embedding-001"
    assert DIALECT.find("POST", path).path == "/models/gemini-embedding-001:embedContent"
    assert DIALECT.find("GET", path) is None
    assert DIALECT.target_for("/models/a:batchEmbedContents", "b") == "/models/b:batchEmbedContents"
    for broken in ("/v1beta/models/a:other", "/v1beta/models/a/b:embedContent"):
        with pytest.raises(DialectError):
            DIALECT.request(ONE, broken)


def test_each_part_is_a_document():
    assert DIALECT.segments(ONE) == [Block(SegmentKind.DOCUMENT, "a")]
    assert [block.is_text for block in DIALECT.segments(TWO)] == [True, False]


def test_a_reply_tells_tokens_by_modality_or_nothing():
    details = b'"promptTokensDetails":[{"modality":"IMAGE","tokenCount":258},{"modality":"TEXT","tokenCount":4}]'
    facts = DIALECT.reply(b'{"embedding":{"values":[1]},"usageMetadata":{"promptTokenCount":262,%b}}' % details)
    assert (facts.usage, facts.charges.caveats) == (Usage(input_uncached=4, input_image=258), ())
    assert DIALECT.reply(b'{"embeddings":[]}').usage is None
    new = DIALECT.reply(b'{"embedding":{},"usageMetadata":{"promptTokenCount":2,"smellTokenCount":1}}')
    assert new.charges.caveats == ("usageMetadata.smellTokenCount",)
    assert DIALECT.reply(b'{"error":{"status":"NOT_FOUND"}}').error_kind == "NOT_FOUND"
    assert DIALECT.reply(b"x").problem
    assert b"NOT_FOUND" in DIALECT.error(404, "no", "x")
    assert DIALECT.tail(usage_asked=True).facts().usage is None
