import pytest

from modicum.providers.bedrock_converse.dialect import DIALECT
from modicum.providers.facts import DialectError

BODY = b"""{"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"maxTokens":9},
"system":[{"text":"be brief"}],"requestMetadata":{"team":"a"},
"toolConfig":{"tools":[{"toolSpec":{"name":"weather","inputSchema":{"json":{"type":"object"}}}}]}}"""
PATH = "/model/amazon.nova-lite-v1:0/converse"


def test_facts_and_blocks_of_a_request():
    facts = DIALECT.request(BODY, PATH)
    assert (facts.model, facts.stream, facts.most_output_tokens) == ("amazon.nova-lite-v1:0", False, 9)
    assert facts.metadata == {"team": "a"}
    assert DIALECT.request(b"{}", f"{PATH}-stream").stream
    assert [block.kind.value for block in DIALECT.segments(BODY)] == ["tool_schema", "system", "user"]
    for body, path in ((b"[]", PATH), (BODY, "/model/x/invoke")):
        with pytest.raises(DialectError):
            DIALECT.request(body, path)


def test_paths():
    assert DIALECT.find("POST", PATH).path == "/model/amazon.nova-lite-v1%3A0/converse"
    assert not DIALECT.find("POST", "/model/x/count-tokens").is_call
    assert DIALECT.find("GET", PATH) is None
    assert DIALECT.find("POST", "/model/x/other") is None
    assert DIALECT.target_for("/model/a/converse-stream", "b:0") == "/model/b%3A0/converse-stream"


def test_a_reply_without_usage_is_estimated_from_its_words_and_an_error_is_one():
    said = DIALECT.reply(
        b'{"output":{"message":{"role":"assistant","content":[{"text":"Paris"}]}},"stopReason":"end_turn"}'
    )
    assert (said.usage, said.output_text, said.complete, said.finish_reason) == (None, "Paris", True, "end_turn")
    assert DIALECT.reply(b'{"message":"no"}').error_kind == "error"
    assert DIALECT.reply(b'{"__type":"X","message":"no"}').error_kind == "X"
    assert DIALECT.reply(b"{}").error_kind == ""
    assert DIALECT.reply(b"<").usage is None
