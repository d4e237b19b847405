"""The mock provider behind the official clients' own transport."""

import anthropic
import httpx2
import msgspec
import openai

from modicum.providers.dialects import DIALECTS
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.provider import MockProvider

CREATED = 1763800000
HELLO = [{"role": "user", "content": "hello"}]
PLAIN = MockOptions(output_tokens=12, chunks=5, reasoning_tokens=7)
LONG = "Tides of the Baltic. " * 300
"""Enough to be cached."""
PATHS = {
    "chat/completions": "openai-chat",
    "completions": "openai-text",
    "images/": "openai-images",
    "audio/tr": "openai-transcriptions",
    "audio/speech": "openai-speech",
    "moderations": "openai-moderations",
    "rerank": "rerank",
    "mbedContent": "gemini-embeddings",
    "responses": "openai-responses",
    "embeddings": "openai-embeddings",
    "messages": "anthropic-messages",
    "enerateContent": "gemini-generate",
}


def server(wanted, provider=None):
    """The provider behind the official clients' own transport."""
    provider = provider or MockProvider()

    def handle(request):
        path = request.url.raw_path.decode()
        name = next(name for part, name in PATHS.items() if part in path)
        answer = provider.answer(DIALECTS[name], request.read(), path, wanted, CREATED)
        headers = {"content-type": answer.content_type, **dict(answer.headers)}
        return httpx2.Response(answer.status, content=b"".join(answer.parts), headers=headers)

    return httpx2.Client(transport=httpx2.MockTransport(handle))


def of_openai(wanted):
    return openai.OpenAI(api_key="none", http_client=server(wanted), max_retries=0)


def of_anthropic(wanted):
    return anthropic.Anthropic(api_key="none", http_client=server(wanted), max_retries=0)


def metered(name, request, wanted=PLAIN, path="/x"):
    """What our own dialects meter of an answer."""
    answer = MockProvider().answer(DIALECTS[name], msgspec.json.encode(request), path, wanted, CREATED)
    dialect = DIALECTS[name]
    if len(answer.parts) == 1 and answer.content_type != "text/event-stream":
        return dialect.reply(answer.parts[0])
    tail = dialect.tail(usage_asked=True)
    for part in answer.parts:
        assert tail.feed(part) == part
    tail.end()
    return tail.facts()


SCHEMA = {
    "type": "object",
    "properties": {"at": {"type": "string", "enum": ["Kiel", "Ulm"]}, "days": {"type": "integer"}},
}


TOOLS = {
    "openai-chat": {
        "messages": HELLO,
        "tools": [{"type": "function", "function": {"name": "tide", "parameters": SCHEMA}}],
        "tool_choice": "required",
    },
    "openai-responses": {
        "input": "hello",
        "tools": [{"type": "function", "name": "tide", "parameters": SCHEMA}],
        "tool_choice": {"type": "function", "name": "tide"},
    },
    "anthropic-messages": {
        "max_tokens": 100,
        "messages": HELLO,
        "tools": [{"name": "tide", "input_schema": SCHEMA}],
        "tool_choice": {"type": "any"},
    },
    "gemini-generate": {
        "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
        "tools": [{"functionDeclarations": [{"name": "tide", "parameters": SCHEMA}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
    },
}


RESULTS = {
    "openai-chat": {"messages": [*HELLO, {"role": "tool", "tool_call_id": "c", "content": "06:12"}]},
    "openai-responses": {"input": [{"type": "function_call_output", "call_id": "c", "output": "06:12"}]},
    "anthropic-messages": {
        "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "06:12"}]}]
    },
    "gemini-generate": {
        "contents": [{"role": "user", "parts": [{"functionResponse": {"name": "tide", "response": {"output": "06"}}}]}]
    },
}


GEMINI_PATHS = {False: "/v1beta/models/m:generateContent", True: "/v1beta/models/m:streamGenerateContent?alt=sse"}
