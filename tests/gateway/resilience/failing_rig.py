"""A gateway with several upstreams that fail as they are told: each has a list of what it answers next."""

import json
from contextlib import contextmanager
from typing import NamedTuple

import httpx2 as httpx

from gateway.budgets.budget_rig import BudgetRig, chat_reply
from gateway.scripted import Answer, anthropic_stream
from modicum.settings import (
    BudgetSettings,
    GatewaySettings,
    LimitSettings,
    ResilienceSettings,
    Settings,
    StateSettings,
    UpstreamSettings,
)

MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]
MESSAGE_REPLY = {
    "id": "msg_01AbCdEfGhIjKlMnOpQrStUv",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5",
    "content": [{"type": "text", "text": "Paris"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 10, "output_tokens": 5},
}


class Fault(NamedTuple):
    """An answer that is none."""

    kind: str
    """`hang_up`: at once; `silent`: never an answer; `half`: a body that breaks off; `half_stream`: a stream that does;
    `head`: nothing after the head; `stall`: a beginning, and no more.
    """


def error(status, retry_after="", kind="server_error"):
    return Answer(json.dumps({"error": {"message": "no", "type": kind, "code": kind}}).encode(), status), retry_after


class FailingRig(BudgetRig):
    """`script` says what each upstream answers next, by name; after that it answers well."""

    def __init__(self, folder, policies, upstreams, budgets=(), models=None, limits=(), redis=""):
        self.policies, self.more, self.models = policies, upstreams, models or {}
        self.limits = limits
        self.more_headers = ""
        self.script = {}
        self.calls_at = []
        super().__init__(folder, budgets, settings=self.base_settings, state=StateSettings(redis=redis))

    def base_settings(self, port):
        usual = {"speaks": "openai", "provider": "openai", "own_keys": True}
        upstreams = {
            name: UpstreamSettings(**{**usual, "url": f"http://127.0.0.1:{port}/{name}/v1", **own})
            for name, own in self.more.items()
        }
        return Settings(
            gateway=GatewaySettings(listen="127.0.0.1:0", most_calls=64),
            upstreams=upstreams,
            models=self.models,
            limit=tuple(LimitSettings(**{"name": "all"} | one) for one in self.limits),
            resilience=tuple(ResilienceSettings(**{"name": "all", "first_wait_s": 0.0} | one) for one in self.policies),
        )

    async def _reply(self, _headers, reader, writer):
        line, _, body = self.provider.asked[-1]
        path, request = line.split(" ")[1], json.loads(body or b"{}")
        name = path.split("/")[1]
        self.calls_at.append(name)
        self.asked.append(request)
        waiting = self.script.get(name, [])
        answer = waiting.pop(0) if waiting else self.well(path, request)
        if isinstance(answer, Fault):
            return await self.fail(answer, reader, writer)
        answer, retry_after = answer if isinstance(answer, tuple) and isinstance(answer[0], Answer) else (answer, "")
        more = self.more_headers + (f"retry-after: {retry_after}\r\n" if retry_after else "")
        head = f"HTTP/1.1 {answer.status} X\r\ncontent-type: {answer.kind}\r\n{more}"
        writer.write(f"{head}content-length: {len(answer.body)}\r\n\r\n".encode() + answer.body)
        await writer.drain()
        return True

    def well(self, path, request):
        if "/messages" in path:
            if request.get("stream"):
                return anthropic_stream({"input_tokens": 10, "output_tokens": 1}, {"output_tokens": 5})
            return Answer(json.dumps(MESSAGE_REPLY).encode())
        if request.get("stream"):
            return stream_of(request)
        return chat_reply(model=request["model"])

    async def fail(self, fault, reader, writer):
        if fault.kind in {"half", "stall"}:
            writer.write(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{"id"')
        if fault.kind == "head":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        if fault.kind == "half_stream":
            body = stream_of({"model": "gpt-4o-mini"}).body
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            writer.write(b"%x\r\n%b\r\n" % (len(body) // 2, body[: len(body) // 2]))
        await writer.drain()
        if fault.kind in {"silent", "head", "stall"}:
            await self.provider.gone_or_released(reader)
        return False

    def chat(self, stream=False, headers=None, **body):
        sent = {"model": "gpt-4o-mini", "messages": MESSAGES, "max_tokens": 10} | body
        sent |= {"stream": True} if stream else {}
        return httpx.post(
            f"{self.url}/v1/chat/completions", json=sent, headers=self.headers() | (headers or {}), timeout=20
        )

    def message(self, stream=False, **body):
        sent = {"model": "claude-haiku-4-5", "messages": MESSAGES, "max_tokens": 10} | body
        sent |= {"stream": True} if stream else {}
        return httpx.post(f"{self.url}/v1/messages", json=sent, headers=self.headers(), timeout=20)


def stream_of(request):
    head = {"id": "chatcmpl-StreamOfFailingRig00001", "object": "chat.completion.chunk", "model": request["model"]}
    head["created"] = 1795000000
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
    chunks = [
        head | {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Par"}, "finish_reason": None}]},
        head | {"choices": [{"index": 0, "delta": {"content": "is"}, "finish_reason": "stop"}]},
        head | {"choices": [], "usage": usage},
    ]
    text = "".join(f"data: {json.dumps(one)}\n\n" for one in chunks) + "data: [DONE]\n\n"
    return Answer(text.encode(), 200, "text/event-stream")


@contextmanager
def failing(folder, *policies, budgets=(), models=None, limits=(), redis="", **upstreams):
    """`upstreams`: their settings by name; the first that serves a model gets its calls."""
    budgets = [BudgetSettings(**{"name": "all", "per": "day"} | one) for one in budgets]
    rig = FailingRig(folder, policies, upstreams, budgets, models, limits, redis)
    rig.start()
    try:
        yield rig
    finally:
        rig.release()
        rig.stop()
