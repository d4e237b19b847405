import pytest

from modicum.providers.dialects import DIALECTS
from modicum.providers.facts import DialectError

DIALECT = DIALECTS["vertex-claude"]
PATH = "/v1/projects/p/locations/eu/publishers/anthropic/models/claude-sonnet-4-6:streamRawPredict"
BODY = b'{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"messages":[]}'


def test_the_path_names_model_and_stream_and_the_upstream_the_project():
    facts = DIALECT.request(BODY, PATH)
    assert (facts.model, facts.stream, facts.most_output_tokens) == ("claude-sonnet-4-6", True, 9)
    assert DIALECT.find("POST", PATH).path == "/publishers/anthropic/models/claude-sonnet-4-6:streamRawPredict"
    assert DIALECT.target_for("/publishers/anthropic/models/a:rawPredict", "b@1") == (
        "/publishers/anthropic/models/b@1:rawPredict"
    )
    count = PATH.replace("claude-sonnet-4-6:streamRawPredict", "count-tokens:rawPredict")
    assert DIALECT.find("POST", count).counts_tokens
    assert DIALECT.request(b'{"model":"claude-x","messages":[]}', count).model == "claude-x"
    assert DIALECT.find("GET", PATH) is None
    assert DIALECT.find("POST", PATH.replace("streamRawPredict", "predict")) is None
    for body, path in ((b"{", PATH), (BODY, "/v1/x")):
        with pytest.raises(DialectError):
            DIALECT.request(body, path)
