import pytest

from modicum.calls import Usage
from modicum.providers.mock.options import MockOptions
from providers.mock_rig import PLAIN, metered, of_openai


def test_openais_client_reads_embeddings():
    with of_openai(PLAIN) as client:
        read = client.embeddings.create(model="text-embedding-3-small", input=["a", "b"], dimensions=4)
        floats = client.embeddings.create(
            model="text-embedding-3-small", input=["a", "b"], dimensions=4, encoding_format="float"
        )
    assert [len(one.embedding) for one in read.data] == [4, 4]
    assert read.data[0].embedding != read.data[1].embedding
    assert read.data[1].embedding == pytest.approx(floats.data[1].embedding, abs=1e-6)
    assert read.usage.prompt_tokens > 0


def test_a_provider_without_usage_is_metered_as_not_counted():
    facts = metered("openai-embeddings", {"model": "m", "input": "x"}, MockOptions(fault="no_usage"))
    assert facts.usage is None
    assert metered("openai-embeddings", {"model": "m", "input": "x"}).usage == Usage(input_uncached=3)
