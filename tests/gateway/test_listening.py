"""Who listens to replies, and that a reply does not suffer from them."""

import httpx2 as httpx
import pytest

from gateway.rig import CHAT
from modicum.gateway.optimizing import FeatureFacts


class Listener:
    def __init__(self, name, fails=""):
        self.name, self._fails = name, fails
        self.stream, self.ended = b"", None

    def on_chunk(self, chunk):
        if self._fails == "chunk":
            raise RuntimeError("a bug")
        self.stream += chunk

    def on_end(self, exchange, end):
        if self._fails == "end":
            raise RuntimeError("a bug")
        self.ended = end
        return {"listened": exchange.reply.finish_reason}


class Source:
    """Has replies listened to."""

    name = "source"

    def __init__(self, listener):
        self._listener = listener

    def facts(self, exchange):
        return FeatureFacts(tags={"source": exchange.facts.model}, listener=self._listener)


@pytest.fixture
def listened(fresh_rig):
    def call(listener, *, stream):
        pipeline = fresh_rig.gateway.pipeline
        pipeline.take_over(pipeline.in_force._replace(sources=(Source(listener),)))
        before = len(fresh_rig.records())
        headers = fresh_rig.headers(x_fixture=f"openai-chat/{'reasoning.sse' if stream else 'cached.json'}")
        reply = httpx.post(f"{fresh_rig.url}/v1/chat/completions", json=CHAT | {"stream": stream}, headers=headers)
        return reply.content, fresh_rig.wait_for_records(before + 1)[-1]

    fresh_rig.call = call
    return fresh_rig


def test_a_stream_is_heard_piece_by_piece_and_a_whole_reply_at_its_end(listened):
    streamed, whole = Listener("one"), Listener("two")
    passed, first = listened.call(streamed, stream=True)
    body, second = listened.call(whole, stream=False)

    assert b"data: {" in streamed.stream
    assert passed.strip().endswith(b"[DONE]")
    assert (whole.stream, whole.ended) == (b"", body)
    assert first.tags["listened"] == second.tags["listened"] == "stop"


@pytest.mark.parametrize("fails", ["chunk", "end"])
def test_one_that_fails_costs_its_tags_alone(listened, fails):
    passed, call = listened.call(Listener("three", fails), stream=True)

    assert passed.strip().endswith(b"[DONE]")
    assert (call.tags.get("source"), call.tags.get("listened")) == ("gpt-4o-mini", None)
    assert 'stage="three"} 1.0' in listened.gateway.parts.metrics.text().decode()
