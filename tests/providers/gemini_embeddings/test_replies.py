from google import genai
from google.genai import types

from modicum.providers.dialects import DIALECTS
from providers.mock_rig import PLAIN, metered, server


def test_googles_client_reads_embeddings():
    options = types.HttpOptions(base_url="http://mock", httpx_client=server(PLAIN))
    client = genai.Client(api_key="none", http_options=options)
    read = client.models.embed_content(model="gemini-embedding-001", contents=["a", "b"])
    assert [len(one.values) for one in read.embeddings] == [16, 16]
    assert read.embeddings[0].values != read.embeddings[1].values


def test_our_meter_reads_them_too():
    request = {"content": {"parts": [{"text": "a"}]}}
    path = "/v1beta/models/m:embedContent"
    assert metered("gemini-embeddings", request, path=path).usage.input_uncached > 0
    assert DIALECTS["gemini-embeddings"].api.provider == "google"
