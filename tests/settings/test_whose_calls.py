"""Whose calls a row is about."""

from modicum.calls import Owner
from modicum.settings.whose_calls import WhoseCalls


def test_a_row_fits_by_every_name_that_it_has():
    row = WhoseCalls(team="search", key="ci", model="text-*")
    owner = Owner(team="search", key="ci", app="any")
    assert row.is_about(owner, "text-embedding-3-small")
    assert not row.is_about(owner, "gpt-4o")
    assert not row.is_about(Owner(team="search", key="cd"), "text-embedding-3-small")
    assert WhoseCalls().is_about(Owner(), "anything")
