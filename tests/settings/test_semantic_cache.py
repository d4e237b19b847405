"""`[[semantic_cache]]`."""

import pytest

from modicum.settings import SemanticCacheSettings
from modicum.settings.semantic_cache import semantic_cache_fault


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"most_wrong": 0}, "most_wrong"),
        ({"most_wrong": 0.5}, "most_wrong"),
        ({"most_wrong": float("nan")}, "most_wrong"),
        ({"seconds": 0}, "seconds"),
        ({"most_mb": 0}, "most_mb"),
        ({"hold_out": 1}, "hold_out"),
        ({"embeddings_url": "localhost:80"}, "embeddings_url"),
        ({"embeddings_url": "http://localhost/v1/embeddings"}, "embeddings_model"),
        ({"embeddings_key": "sk-123"}, "embeddings_key"),
    ],
)
def test_what_cannot_be_meant_is_named_with_its_row(fields, name):
    number, wrong, accepted = semantic_cache_fault([SemanticCacheSettings(), SemanticCacheSettings(**fields)])

    assert (number, wrong) == (1, name)
    assert accepted.startswith("must ")


def test_rows_as_they_are_meant():
    endpoint = {"embeddings_url": "http://localhost/v1/embeddings", "embeddings_model": "mini"}

    assert semantic_cache_fault([SemanticCacheSettings(), SemanticCacheSettings(**endpoint)]) is None
