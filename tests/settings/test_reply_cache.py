"""`[[reply_cache]]`."""

import pytest

from modicum.calls import Owner
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


def test_a_choice_fits_by_every_name_that_it_has():
    row = ReplyCacheSettings(team="search", key="ci", model="text-*")
    owner = Owner(team="search", key="ci", app="any")
    assert row.is_about(owner, "text-embedding-3-small")
    assert not row.is_about(owner, "gpt-4o")
    assert not row.is_about(Owner(team="search", key="cd"), "text-embedding-3-small")
