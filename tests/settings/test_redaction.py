"""`[[redaction]]`."""

import pytest

from modicum.settings.redaction import RedactionSettings, redaction_fault, sought_of


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"kinds": ("name",)}, "kinds"),
        ({"kinds": ()}, "kinds"),
        ({"restore": "some"}, "restore"),
        ({"patterns": {"Customer": "C-[0-9]+"}}, "patterns"),
        ({"patterns": {"email": "@"}}, "patterns"),
        ({"patterns": {"customer": "("}}, "patterns"),
        ({"patterns": {"customer": "x*"}}, "patterns"),
    ],
)
def test_what_makes_no_sense_is_named(fields, key):
    number, wrong, accepted = redaction_fault([RedactionSettings(), RedactionSettings(**fields)])
    assert (number, wrong) == (1, key)
    assert accepted


def test_usual_settings_are_fine():
    row = RedactionSettings(kinds=(), patterns={"customer": "C-[0-9]+"})
    assert redaction_fault([RedactionSettings(), row]) is None
    assert sought_of(row).patterns["customer"].fullmatch("C-12")
