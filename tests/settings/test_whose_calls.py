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


def test_a_model_fits_by_any_of_its_names_and_with_its_date():
    row = WhoseCalls(model="gpt-4o")
    assert row.is_about(Owner(), "gpt-4o-2024-08-06")
    assert row.is_about(Owner(), "fast", "gpt-4o")
    assert not row.is_about(Owner(), "gpt-4o-mini")


def test_a_pattern_is_no_reason_to_miss_an_owner():
    assert WhoseCalls(team="search", model="[ab]*").is_of(Owner(team="search"))
