import json

import pytest

from modicum.providers.bedrock.errors import error_frame
from modicum.providers.bedrock_invoke.dialect import frame_of
from modicum.providers.facts import DialectError
from modicum.providers.translation.hosted.claude import Unframed
from modicum.providers.translation.translations import TRANSLATIONS

BODY = json.dumps({"model": "sonnet", "stream": True, "max_tokens": 9, "messages": [], "top_k": 3}).encode()
EVENTS = [b'{"type":"message_start"}', b'{"type":"message_stop"}']
CLAUDE = "us.anthropic.claude-sonnet-4-6-v1:0"


@pytest.mark.parametrize(
    ("cloud", "version"), [("bedrock-invoke", "bedrock-2023-05-31"), ("vertex-claude", "vertex-2023-10-16")]
)
def test_model_and_stream_leave_the_body_and_all_else_stays(cloud, version):
    told = json.loads(TRANSLATIONS["anthropic-messages", cloud].request(BODY, CLAUDE).body)
    assert told == {"anthropic_version": version, "max_tokens": 9, "messages": [], "top_k": 3}


def test_only_claude_is_translated_to_bedrock():
    translation = TRANSLATIONS["anthropic-messages", "bedrock-invoke"]
    with pytest.raises(DialectError, match="only those of Anthropic"):
        translation.request(BODY, "amazon.nova-lite-v1:0")
    with pytest.raises(DialectError, match="not JSON"):
        translation.request(b"[", CLAUDE)
    status, body = translation.error(429, b'{"message":"slow"}')
    assert (status, json.loads(body)["error"]["message"]) == (429, "slow")


def test_frames_come_back_as_events_however_they_are_cut():
    raw = b"".join(map(frame_of, EVENTS))
    unframed = Unframed()
    told = b"".join(unframed.feed(raw[at : at + 7]) for at in range(0, len(raw), 7))
    assert told == b"".join(b"event: %b\ndata: %b\n\n" % (event[9:-2], event) for event in EVENTS)
    assert b"event: error" in unframed.feed(error_frame(429, "slow"))
    assert unframed.feed(b"x" * 40) == b""
    assert unframed.feed(frame_of(b"[]")) == b""


def test_a_stream_for_openais_client_goes_through_both():
    stream = TRANSLATIONS["openai-chat", "bedrock-invoke"].stream(True, 0)  # noqa: FBT003 - as the gateway does
    start = b'{"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":1,"output_tokens":1}}}'
    assert b"chat.completion.chunk" in stream.feed(frame_of(start))
    stream.end()
