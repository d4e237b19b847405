"""What is held back never reaches the upstream, and its caller sees it again."""

import json
from contextlib import contextmanager

import httpx2 as httpx
import msgspec
import pytest

from gateway.scripted import PATHS, all_upstreams, chunk, events, scripted, whole
from modicum.gateway.redaction.redacting import Redactor
from modicum.settings import RedactionSettings, ResilienceSettings

ADA = "ada@engine.org"
ASK = f"Write to {ADA} and to +1 212 555 0142, please."
USAGE = {"input_tokens": 10, "output_tokens": 10}
DIALECTS = ["openai-chat", "anthropic", "responses", "gemini"]


def asking(dialect, text=ASK):
    if dialect == "gemini":
        return {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    return (
        {"input": text, "store": False} if dialect == "responses" else {"messages": [{"role": "user", "content": text}]}
    )


def text_in(dialect, request):
    """What an upstream was asked."""
    if dialect == "gemini":
        return request["contents"][0]["parts"][0]["text"]
    return request["input"] if dialect == "responses" else request["messages"][0]["content"]


def whole_reply(dialect, text):
    if dialect == "gemini":
        parts = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}
        return {"candidates": [parts], "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 10}}
    if dialect == "anthropic":
        content = [{"type": "text", "text": text}]
        head = {
            "id": "msg_01AbCdEfGhIjKlMnOpQrStUv",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-6",
        }
        return head | {"content": content, "stop_reason": "end_turn", "usage": USAGE}
    if dialect == "responses":
        output = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}]
        head = {
            "id": "resp_0123456789abcdef0123456789abcdef",
            "object": "response",
            "status": "completed",
            "model": "gpt-5",
        }
        return head | {"output": output, "usage": USAGE}
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}
    head = {"id": "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx", "model": "gpt-4o-mini", "object": "chat.completion"}
    return head | {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}


def streamed_reply(dialect, text, size=5):
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    if dialect == "gemini":
        chunks = [whole_reply(dialect, piece) for piece in pieces]
        for begun in chunks[:-1]:
            del begun["candidates"][0]["finishReason"]
        return events(*chunks)
    if dialect == "anthropic":
        message = whole_reply(dialect, "") | {"content": [], "stop_reason": None}
        delta = {"type": "content_block_delta", "index": 0}
        return events(
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            *(delta | {"delta": {"type": "text_delta", "text": piece}} for piece in pieces),
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 10}},
            {"type": "message_stop"},
        )
    if dialect == "responses":
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        return events(
            {
                "type": "response.created",
                "response": whole_reply(dialect, "") | {"status": "in_progress", "usage": None},
            },
            *({"type": "response.output_text.delta", **place, "delta": piece} for piece in pieces),
            {"type": "response.output_text.done", **place, "text": text},
            {"type": "response.completed", "response": whole_reply(dialect, text)},
        )
    usage = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}
    last = chunk(finish="stop") | {"usage": usage}
    return events(*(chunk({"content": piece}) for piece in pieces), last, done=True)


def echoing(dialect, reply=None):
    """An upstream that says what it was asked."""

    def answer(request):
        text = f"You said: {text_in(dialect, request)}"
        is_stream = request.get("stream") or reply == "stream"
        return streamed_reply(dialect, text) if is_stream else whole(whole_reply(dialect, text))

    return answer


def said(dialect, body):
    """The text of a stream, as a client joins it."""
    texts = []
    for line in body.splitlines():
        if not line.startswith("data: {"):
            continue
        event = json.loads(line.removeprefix("data: "))
        if dialect == "gemini":
            texts.append(event["candidates"][0]["content"]["parts"][0]["text"])
        elif dialect == "responses":
            texts.append(event["delta"] if event["type"].endswith(".delta") else "")
        elif dialect == "anthropic":
            texts.append(event["delta"].get("text", "") if event["type"] == "content_block_delta" else "")
        else:
            texts.append("".join(choice["delta"].get("content", "") for choice in event["choices"]))
    return "".join(texts)


@contextmanager
def redacting(folder, *rows, dialect="openai-chat"):
    def settings(port):
        return msgspec.structs.replace(all_upstreams(port), redaction=rows or (RedactionSettings(),))

    with scripted(folder, settings) as upstream:
        upstream.answers = echoing(dialect)
        yield upstream


@pytest.fixture(scope="module")
def usual_rig(tmp_path_factory):
    with redacting(tmp_path_factory.mktemp("redaction")) as upstream:
        yield upstream


@pytest.mark.parametrize("dialect", DIALECTS)
def test_nothing_of_it_leaves_and_the_caller_sees_it_again(usual_rig, dialect):
    for stream in (False, True):
        usual_rig.answers = echoing(dialect, "stream" if stream else None)
        before = len(usual_rig.records())
        reply = usual_rig.call(dialect, stream=stream, **asking(dialect))

        sent = text_in(dialect, usual_rig.asked[-1])
        assert ADA not in sent
        assert "555" not in sent
        assert sent.startswith("Write to REDACTED_EMAIL_")
        text = said(dialect, reply.text) if stream else reply.text
        assert f"You said: {ASK}" in text
        assert "REDACTED" not in reply.text
        call = usual_rig.wait_for_records(before + 1)[-1]
        assert {name: value for name, value in call.tags.items() if name.startswith("redacted.")} == {
            "redacted.email": "1",
            "redacted.phone": "1",
        }


def test_the_same_history_leaves_as_the_same_bytes(usual_rig):
    usual_rig.answers = echoing("openai-chat")
    for _ in range(2):
        usual_rig.call("openai-chat", **asking("openai-chat"))
    assert usual_rig.asked[-1] == usual_rig.asked[-2]


def test_another_owner_has_other_placeholders(usual_rig):
    usual_rig.answers = echoing("openai-chat")
    other = usual_rig.issue_key("cd")
    body = {"model": "gpt-4o-mini"} | asking("openai-chat")
    for key in (usual_rig.key, other):
        httpx.post(f"{usual_rig.url}{PATHS['openai-chat']}", json=body, headers={"authorization": f"Bearer {key}"})
    assert usual_rig.asked[-1] != usual_rig.asked[-2]


def test_a_call_behind_a_translation_is_redacted_too(usual_rig):
    for stream in (False, True):
        usual_rig.answers = echoing("anthropic", "stream" if stream else None)
        usual_rig.answers = lambda request, echo=usual_rig.answers: echo(
            request | {"messages": [{"content": request["messages"][0]["content"][0]["text"]}]}
            if isinstance(request["messages"][0]["content"], list)
            else request
        )
        reply = usual_rig.call("openai-chat", stream=stream, model="claude-sonnet-4-6", **asking("openai-chat"))

        assert ADA not in json.dumps(usual_rig.asked[-1])
        text = said("openai-chat", reply.text) if stream else reply.json()["choices"][0]["message"]["content"]
        assert text == f"You said: {ASK}"


def test_token_counts_are_asked_without_it(usual_rig):
    usual_rig.answers = whole({"input_tokens": 10})
    body = {"model": "claude-sonnet-4-6"} | asking("anthropic")
    httpx.post(f"{usual_rig.url}/v1/messages/count_tokens", json=body, headers=usual_rig.headers())
    assert usual_rig.asked_paths[-1].startswith("/v1/messages/count_tokens")
    assert ADA not in json.dumps(usual_rig.asked[-1])


def test_a_stream_that_breaks_off_within_a_placeholder_keeps_what_came(usual_rig):
    def answer(request):
        stream = streamed_reply("openai-chat", f"{text_in('openai-chat', request)[:18]}")
        return stream._replace(body=stream.body.partition(b'data: {"id"')[0] + stream.body.rpartition(b"data: {")[0])

    usual_rig.answers = answer
    reply = usual_rig.call("openai-chat", stream=True, **asking("openai-chat"))
    assert said("openai-chat", reply.text) == "Write to REDACTED_"


@pytest.mark.parametrize(("restore", "says", "calls"), [("text", ADA, "REDACTED"), ("all", ADA, ADA), ("none",) * 3])
def test_what_tools_are_called_with_is_a_choice_of_its_own(tmp_path, restore, says, calls):
    with redacting(tmp_path, RedactionSettings(restore=restore, stable=False)) as upstream:

        def answer(request):
            word = text_in("openai-chat", request).split()[2]
            reply = whole_reply("openai-chat", f"I mail {word}")
            call = {"id": "c", "type": "function", "function": {"name": "mail", "arguments": json.dumps({"to": word})}}
            reply["choices"][0]["message"]["tool_calls"] = [call]
            return whole(reply)

        upstream.answers = answer
        message = upstream.call("openai-chat", **asking("openai-chat")).json()["choices"][0]["message"]
        if restore == "none":
            says = calls = "REDACTED"
        assert message["content"].startswith(f"I mail {says}")
        assert message["tool_calls"][0]["function"]["arguments"].startswith(f'{{"to": "{calls}')


def test_a_row_holds_for_some_calls_only(tmp_path):
    row = RedactionSettings(team="support", kinds=("phone",), patterns={"customer": "C-[0-9]+"})
    with redacting(tmp_path, row) as upstream:
        upstream.call("openai-chat", **asking("openai-chat"))
        assert ADA in json.dumps(upstream.asked[-1])
        upstream.key = upstream.issue_key("of-support", team="support")
        reply = upstream.call("openai-chat", **asking("openai-chat", f"C-12, {ADA}, +1 212 555 0142"))
        sent = text_in("openai-chat", upstream.asked[-1])
        assert sent.startswith("REDACTED_CUSTOMER_")
        assert f", {ADA}, REDACTED_PHONE_" in sent
        assert "C-12, " in reply.text


def test_what_cannot_be_read_does_not_leave(tmp_path):
    with redacting(tmp_path, RedactionSettings(team="platform", model="gpt-4o")) as upstream:
        upstream.answers = whole({})
        job = {"training_file": "f", "note": ADA}
        reply = httpx.post(f"{upstream.url}/v1/fine_tuning/jobs", json=job, headers=upstream.headers())
        assert (reply.status_code, reply.json()["error"]["code"]) == (403, "not_redactable")
        assert httpx.get(f"{upstream.url}/v1/fine_tuning/jobs", headers=upstream.headers()).status_code == 200
        assert upstream.asked == [{}]


def test_another_name_of_a_model_is_no_way_out(tmp_path):
    with redacting(tmp_path, RedactionSettings(model="gpt-4o-mini")) as upstream:
        for name in ("fast", "gpt-4o-mini-2024-07-18"):  # an alias of the settings, and a dated name
            assert upstream.call("openai-chat", model=name, **asking("openai-chat")).status_code == 200
            assert ADA not in json.dumps(upstream.asked[-1])


def test_a_fallback_is_looked_at_as_well(tmp_path):
    def settings(port):
        policy = ResilienceSettings(name="all", fallbacks=("openai/gpt-4o",), first_wait_s=0.0)
        rows = (RedactionSettings(model="gpt-4o"),)
        return msgspec.structs.replace(all_upstreams(port), redaction=rows, resilience=(policy,))

    with scripted(tmp_path, settings) as upstream:
        echo = echoing("openai-chat")
        upstream.answers = lambda request: echo(request) if request["model"] == "gpt-4o" else whole({}, 503)
        reply = upstream.call("openai-chat", **asking("openai-chat"))

        first, second = map(json.dumps, upstream.asked)
        assert ADA in first
        assert ADA not in second
        assert ADA in reply.text


def test_nobody_is_asked_where_no_row_is():
    redactor = Redactor(b"s" * 32)
    assert not redactor.is_active
