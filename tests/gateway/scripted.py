"""An upstream that answers by a script, in the shapes of real providers, and the gateway before it.

`with scripted(folder) as upstream:` gives an `Upstream`. What it answers next stands in `upstream.answers`: a function
of the request's JSON, or an `Answer`. `upstream.call(...)` sends a call through the gateway and gives the reply, and
`upstream.booked()` what the ledger would have of all calls, priced.
"""

import json
from contextlib import contextmanager
from typing import NamedTuple

import httpx2 as httpx
import msgspec

from gateway.rig import Rig, usual

PATHS = {"openai-chat": "/v1/chat/completions", "anthropic": "/v1/messages", "responses": "/v1/responses"}
PATHS |= {"embeddings": "/v1/embeddings"}
MODELS = {"openai-chat": "gpt-4o-mini", "anthropic": "claude-sonnet-4-6", "responses": "gpt-5"}
MODELS |= {"embeddings": "text-embedding-3-small", "gemini": "gemini-2.5-flash"}


class Answer(NamedTuple):
    body: bytes
    status: int = 200
    kind: str = "application/json"
    cut: int = 1 << 20
    """Bytes of each piece in which it is sent."""


def whole(document, status=200):
    return Answer(json.dumps(document).encode(), status)


def events(*documents, indent=None, end="\n", named=True, done=False, cut=1 << 20):
    """A stream of server-sent events; with `indent` each line of a document stands behind a `data: ` of its own."""
    lines = []
    for document in documents:
        if named and "type" in document:
            lines.append(f"event: {document['type']}")
        lines += [f"data: {line}" for line in json.dumps(document, indent=indent).splitlines()] + [""]
    lines += ["data: [DONE]", ""] if done else []
    return Answer("".join(line + end for line in lines).encode(), 200, "text/event-stream", cut)


def anthropic_stream(usage, final, model="claude-sonnet-4-6", text="Paris", **more):
    """The events of a message; `usage` stands in the first, `final` in the last that counts."""
    message = {"id": "msg_01AbCdEfGhIjKlMnOpQrStUv", "type": "message", "role": "assistant", "model": model}
    message |= {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    return events(
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": final},
        {"type": "message_stop"},
        **more,
    )


def chunk(delta=None, finish=None, model="gpt-4o-mini", **more):
    head = {"id": "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx", "object": "chat.completion.chunk", "created": 1795000000}
    return head | {"model": model, "choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}]} | more


class Upstream(Rig):
    """A gateway whose upstreams all answer by script. `asked` are the JSON bodies that came."""

    def __init__(self, folder, settings):
        super().__init__(folder, settings)
        self.answers = whole({})
        self.asked = []
        self.asked_paths = []
        self.provider.reply = self._reply

    async def _reply(self, _headers, _reader, writer):
        line, _, body = self.provider.asked[-1]
        request = json.loads(body or b"{}")
        self.asked.append(request)
        self.asked_paths.append(line.split(" ")[1])
        answer = (
            self.answers(request) if callable(self.answers) and not isinstance(self.answers, Answer) else self.answers
        )
        head = f"HTTP/1.1 {answer.status} X\r\ncontent-type: {answer.kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        writer.write(head.encode())
        for at in range(0, len(answer.body), answer.cut):
            piece = answer.body[at : at + answer.cut]
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    def call(self, dialect, stream=False, **body):
        """One call through the gateway, in the dialect of the caller."""
        model = body.pop("model", MODELS[dialect])
        if dialect == "gemini":
            verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
            path, sent = f"/v1beta/models/{model}:{verb}", {"contents": [{"parts": [{"text": "Hello"}]}]}
        else:
            path, sent = PATHS[dialect], {"model": model}
            if dialect in {"openai-chat", "anthropic"}:
                sent |= {"messages": [{"role": "user", "content": "What is the capital of France?"}]}
            sent |= {"stream": True} if stream else {}
        sent |= {"max_tokens": 100} if dialect == "anthropic" else {}
        return httpx.post(f"{self.url}{path}", json=sent | body, headers=self.headers(), timeout=10)

    def booked(self, count=1):
        """What the ledger has of the calls, once there are so many."""
        self.wait_for_records(count)
        return self.shipped()

    def cost(self):
        """Dollars, and the basis, of the only call. The journal is shipped once: ask for this or for `booked`."""
        (entry,) = self.booked()
        return entry.cost.usd, entry.cost.basis


def all_upstreams(port):
    """As `usual`, billed by the providers, and an upstream that bills as OpenRouter does."""
    settings = usual()(port)
    openai = msgspec.structs.replace(settings.upstreams["openai"], provider="openai")
    router = msgspec.structs.replace(openai, models=("router/*",), provider="openrouter")
    return msgspec.structs.replace(settings, upstreams={**settings.upstreams, "openai": openai, "router": router})


@contextmanager
def scripted(folder, settings=all_upstreams):
    upstream = Upstream(folder, settings)
    upstream.start()
    try:
        yield upstream
    finally:
        upstream.release()
        upstream.stop()
