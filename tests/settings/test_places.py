from typing import Literal

import msgspec

from modicum.settings.places import line_of, line_of_row, list_accepted
from modicum.settings.table import Settings

TEXT = '# a\n[[row]]\nname = "a"\n\n[[row]]\nname = "b"\nper = 1\n[other]\nper = 2\n'


def test_a_row_is_counted_and_its_key_looked_for_within_it():
    assert line_of_row(TEXT, "row", 1, "per") == ":7"
    assert line_of_row(TEXT, "row", 0, "per") == ":2"
    assert line_of_row(TEXT, "gone", 0, "per") == ""


def test_a_key_is_found_by_its_name_in_a_message():
    assert line_of(TEXT, "unknown field `per`") == ":7"
    assert line_of(TEXT, "nothing of it") == ""


def test_what_is_accepted_leaves_out_what_nobody_sets():
    accepted = list_accepted("", Settings, {})
    assert "ledger (str)" in accepted
    assert "policy_rules" not in accepted


class Row(msgspec.Struct):
    name: str


class Toy(msgspec.Struct):
    names: tuple[str, ...] | None = None
    places: tuple[str, ...] = ()
    most: int | None = None
    either: int | str = 0
    kind: Literal["a", "b"] = "a"
    rows: tuple[Row, ...] = ()
    by_name: dict[str, Row] = {}


def test_types_are_shown_as_toml_has_them():
    accepted = list_accepted("", Toy, {})

    assert accepted == (
        'accepted are names (list of str), places (list of str), most (int), either (int or str), kind ("a" or "b"), '
        "rows (list of table), by_name (table)"
    )
