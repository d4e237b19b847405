import msgspec
from google.genai import Client, types

from modicum.providers.gemini_generate.dialect import DIALECT
from modicum.providers.mock.provider import MockProvider
from providers.mock_rig import CREATED, PLAIN, server


def test_googles_client_reads_generate_content(monkeypatch):
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    options = types.HttpOptions(httpx_client=server(PLAIN))
    with Client(api_key="none", http_options=options) as client:
        read = client.models.generate_content(model="gemini-2.5-pro", contents="hello")
        chunks = list(client.models.generate_content_stream(model="gemini-2.5-pro", contents="hello"))
    assert len(read.text.split()) == 12
    assert len("".join(chunk.text for chunk in chunks).split()) == 12
    for usage in (read.usage_metadata, chunks[-1].usage_metadata):
        assert (usage.candidates_token_count, usage.thoughts_token_count) == (12, 7)


def test_an_array_for_those_who_did_not_ask_for_events():
    request = msgspec.json.encode({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]})
    path = "/v1beta/models/m:streamGenerateContent"
    answer = MockProvider().answer(DIALECT, request, path, PLAIN, CREATED)
    assert answer.content_type == "application/json"
    assert len(msgspec.json.decode(b"".join(answer.parts))) == 6
    tail = DIALECT.tail(usage_asked=True)
    for part in answer.parts:
        tail.feed(part)
    assert tail.facts().usage.completion_tokens == 19
