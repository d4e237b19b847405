import json

from modicum.providers.dialects import DIALECTS
from modicum.providers.mock.provider import MockProvider
from providers.mock_rig import CREATED, PLAIN, metered

REQUEST = {"model": "m", "query": "q", "documents": ["a", "b", "c"], "top_n": 2}


def test_documents_are_ranked_and_metered():
    answer = MockProvider().answer(DIALECTS["rerank"], json.dumps(REQUEST).encode(), "/x", PLAIN, CREATED)
    assert [one["index"] for one in json.loads(answer.parts[0])["results"]] == [0, 1]
    assert metered("rerank", REQUEST).usage.input_uncached > 0
