"""`[[reply_cache]]` and `[[semantic_cache]]`."""

import pytest

from modicum.settings import ReplyCacheSettings, SemanticCacheSettings
from modicum.settings.reply_cache import reply_cache_fault, semantic_cache_fault


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"seconds": -1}, "seconds"),
        ({"seconds": float("nan")}, "seconds"),
        ({"seconds": 10**9}, "seconds"),
        ({"seconds": 0, "join": False}, "seconds"),
        ({"most_mb": 0}, "most_mb"),
        ({"hold_out": 1}, "hold_out"),
        ({"hold_out": float("inf")}, "hold_out"),
    ],
)
def test_what_makes_no_sense_is_named(fields, key):
    number, wrong, _ = reply_cache_fault([ReplyCacheSettings(), ReplyCacheSettings(**fields)])
    assert (number, wrong) == (1, key)


def test_usual_settings_are_fine():
    assert reply_cache_fault([ReplyCacheSettings(), ReplyCacheSettings(seconds=0)]) is None


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
        ({"embeddings_folder": "/no/such/folder"}, "embeddings_folder"),
        ({"embeddings_folder": "model"}, "embeddings_folder"),
        ({"embeddings_folder": "/m", "embeddings_url": "http://h/v1", "embeddings_model": "m"}, "embeddings_folder"),
    ],
)
def test_what_cannot_be_meant_of_meanings_is_named_with_its_row(fields, name):
    number, wrong, accepted = semantic_cache_fault([SemanticCacheSettings(), SemanticCacheSettings(**fields)])

    assert (number, wrong) == (1, name)
    assert accepted.startswith("must ")


def test_rows_of_meanings_as_they_are_meant():
    endpoint = {"embeddings_url": "http://localhost/v1/embeddings", "embeddings_model": "mini"}

    assert semantic_cache_fault([SemanticCacheSettings(), SemanticCacheSettings(**endpoint)]) is None
