"""`[[reply_cache]]`."""

import pytest

from modicum.settings import ReplyCacheSettings
from modicum.settings.reply_cache import reply_cache_fault


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
