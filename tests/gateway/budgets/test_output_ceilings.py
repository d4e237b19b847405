"""Streams that are ended early, and ceilings that are sent: through the whole gateway, before the mock's answers."""

import json

import anthropic
import msgspec
import openai
import pytest

from gateway.budgets.budget_rig import MESSAGES, chat_reply, with_budgets
from gateway.scripted import Answer, all_upstreams
from modicum.gateway.budgets.output_ceilings import CUT_OFF, CeilingKeeper
from modicum.governance.budgets import NANO
from modicum.providers.cut_off.stream_cut import StreamCut
from modicum.providers.dialects import DIALECTS
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.provider import MockProvider
from modicum.settings import ResilienceSettings
from providers.mock_rig import CREATED
from providers.mock_rig import PATHS as DIALECT_OF

CEILING = "x-modicum-output-ceiling"
LIMIT_USD = 0.002
TEXT = {"model": "gpt-3.5-turbo-instruct", "prompt": "x", "max_tokens": 100_000, "stream": True}
TOOL = {"name": "find", "parameters": {"type": "object", "properties": {"place": {"type": "string"}}}}


class Mocked:
    """Answers as the mock provider does, whatever was asked for."""

    def __init__(self, rig, **wanted):
        self.rig, self.wanted = rig, MockOptions(**wanted)

    def __call__(self, request):
        path = self.rig.asked_paths[-1]
        name = next(name for part, name in DIALECT_OF.items() if part in path)
        answer = MockProvider().answer(DIALECTS[name], json.dumps(request).encode(), path, self.wanted, CREATED)
        return Answer(b"".join(answer.parts), answer.status, answer.content_type, cut=1 << 10)


def chat_of(rig):
    return openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0)


def read_chat(rig):
    with chat_of(rig) as client:
        stream = client.chat.completions.create(
            model="gpt-4o-mini", messages=MESSAGES, stream=True, max_completion_tokens=100_000
        )
        return [choice.finish_reason for chunk in stream for choice in chunk.choices if choice.finish_reason]


def read_text(rig):
    with chat_of(rig) as client:
        return [chunk.choices[0].finish_reason for chunk in client.completions.create(**TEXT)][-1:]


def read_messages(rig):
    with anthropic.Anthropic(base_url=rig.url, api_key=rig.key, max_retries=0) as client:
        asked = {"model": "claude-haiku-4-5", "messages": MESSAGES, "max_tokens": 50_000}
        with client.messages.stream(**asked) as stream:
            return [stream.get_final_message().stop_reason]


def read_response(rig):
    with chat_of(rig) as client:
        *_, last = client.responses.create(model="gpt-4o-mini", input="x", stream=True, max_output_tokens=100_000)
        return [last.response.incomplete_details.reason]


def read_gemini(rig):
    reply = rig.call("gemini", stream=True, generationConfig={"maxOutputTokens": 60_000})
    events = [json.loads(event.removeprefix("data: ")) for event in reply.text.split("\r\n\r\n") if event]
    return [events[-1]["candidates"][0]["finishReason"]]


READERS = {
    "chat": (read_chat, ["length"]),
    "text": (read_text, ["length"]),
    "messages": (read_messages, ["max_tokens"]),
    "responses": (read_response, ["max_output_tokens"]),
    "gemini": (read_gemini, ["MAX_TOKENS"]),
}


@pytest.mark.parametrize("dialect", READERS)
def test_a_stream_that_goes_beyond_its_ceiling_is_ended_cleanly_and_settled_with_what_passed(tmp_path, dialect):
    read, ends = READERS[dialect]
    with with_budgets(tmp_path, {"limit_usd": LIMIT_USD, "at_limit": "cut"}) as rig:
        rig.answers = Mocked(rig, output_tokens=20_000, chunks=4_000, fault="over_bound")

        assert read(rig) == ends

        (entry,) = rig.ledger.entries()
        assert entry.call.finish_reason == CUT_OFF
        assert 0.5 * LIMIT_USD < entry.cost.usd <= LIMIT_USD  # twice our count is reserved where tokens are estimated
        assert (rig.spent(), rig.reserved()) == (int(entry.cost.usd * NANO), 0)
        assert len(rig.asked) == 1


def test_the_ceiling_is_sent_and_said_so_that_whoever_keeps_to_it_is_never_cut(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 0.0005, "at_limit": "cut"}) as rig:
        rig.answers = Mocked(rig, says="the " * 3_000, chunks=100)  # each word is a token
        reply = rig.chat(max_tokens=10_000, stream=True)
        tokens, budget = reply.headers[CEILING].split("; ")

        assert (rig.asked[0]["max_tokens"], budget) == (int(tokens), "budget=all")
        assert 16 <= int(tokens) < 1_000
        assert '"finish_reason":"length"' in reply.text
        assert rig.ledger.entries()[0].call.finish_reason == "length"

        refused = rig.chat(max_tokens=10_000)  # no stream
        assert refused.status_code == 402


def test_a_stream_that_is_sent_again_is_bounded_by_what_its_first_sending_has_left(tmp_path):
    def retrying(port):
        policy = ResilienceSettings(name="all", retries=1, first_wait_s=0.0)
        return msgspec.structs.replace(all_upstreams(port), resilience=(policy,))

    with with_budgets(tmp_path, {"limit_usd": 0.0005, "at_limit": "cut"}, settings=retrying) as rig:
        answers = [Answer(b"", 504), Mocked(rig, says="the " * 3_000, chunks=100)]  # nobody knows what the first cost
        rig.answers = lambda request: one if isinstance(one := answers.pop(0), Answer) else one(request)
        reply = rig.chat(max_tokens=250, stream=True)
        tokens, _ = reply.headers[CEILING].split("; ")

        assert [one["max_tokens"] for one in rig.asked] == [250, int(tokens)]
        assert 16 <= int(tokens) < 250
        assert '"finish_reason":"length"' in reply.text
        assert rig.spent() <= 0.0005 * NANO


def test_half_a_call_of_a_tool_passes_nowhere_when_the_ceiling_comes_in_its_middle(tmp_path):
    tools = [{"type": "function", "function": TOOL}]
    with with_budgets(tmp_path, {"limit_usd": 0.001, "at_limit": "cut"}) as rig:
        arguments = json.dumps({"place": "the quay " * 5_000})
        begun = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "find", "arguments": ""}}
        pieces = [arguments[at : at + 50] for at in range(0, len(arguments), 50)]
        deltas = [begun, *({"index": 0, "function": {"arguments": piece}} for piece in pieces)]
        chunks = [
            {"id": "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx", "object": "chat.completion.chunk", "model": "gpt-4o-mini"}
            | {"choices": [{"index": 0, "delta": {"tool_calls": [delta]}, "finish_reason": None}]}
            for delta in deltas
        ]
        events = b"".join(b"data: %b\n\n" % json.dumps(one).encode() for one in chunks)
        rig.answers = Answer(events, 200, "text/event-stream", cut=1 << 10)
        reply = rig.chat(max_tokens=10_000, stream=True, tools=tools)

        assert "tool_calls" not in reply.text
        assert reply.text.endswith("data: [DONE]\n\n")
        assert '"finish_reason":"length"' in reply.text


def test_what_leaves_no_room_for_a_reply_is_refused(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 0.00001, "at_limit": "cut"}) as rig:
        assert rig.chat(max_tokens=1_000, stream=True).status_code == 402
        assert rig.asked == []


def test_an_assumed_ceiling_is_sent_with_calls_that_name_none_and_holds(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 0.05, "assume_max_tokens": 500}) as rig:
        rig.answers = chat_reply(model="gpt-4.1")
        bare = rig.chat(max_tokens=None, model="gpt-4.1")
        own = rig.chat(max_tokens=700, model="gpt-4.1")

        assert (bare.status_code, own.status_code) == (200, 200)
        assert [asked.get("max_completion_tokens", asked.get("max_tokens")) for asked in rig.asked] == [500, 700]
        assert bare.headers[CEILING] == "500; budget=all"
        assert CEILING not in own.headers
        edits = [[edit.rule for edit in entry.call.edits] for entry in rig.ledger.entries()]
        assert sorted(edits) == [[], ["budget.ceiling"]]


def test_without_one_the_refusal_names_the_way_out(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 0.05}) as rig:
        refused = rig.chat(max_tokens=None, model="gpt-4.1")

        assert refused.status_code == 402
        assert "it has no max_tokens" in refused.json()["error"]["message"]
        assert "assume_max_tokens" in refused.json()["error"]["message"]
        assert "assume_max_tokens" not in rig.chat(max_tokens=32_000, model="gpt-4.1").json()["error"]["message"]


class Plain(StreamCut):
    def cut(self, output_tokens):
        return b"[%d]" % output_tokens

    def _on_event(self, raw, _event):
        return raw

    def _text_of(self, event):
        return event["text"]


def test_a_stream_is_over_one_token_after_its_last_one():
    keeper = CeilingKeeper(Plain(), 6, lambda text: len(text.split()), lambda counted: 2 * counted)
    event = b'data: {"text": "a b"}\n\n'

    assert (keeper.feed(event), keeper.is_over) == (event, False)
    assert (keeper.feed(event), keeper.is_over) == (event, True)
    assert keeper.end() == b"[8]"
