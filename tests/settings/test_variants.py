"""`[variants.NAME]`."""

import pytest

from modicum.calls import Owner
from modicum.settings import VariantSettings
from modicum.settings.variants import variant_fault


@pytest.mark.parametrize(
    ("name", "fields", "key"),
    [
        ("a b", {"models": "*", "effort": "low"}, "a b"),
        ("a", {"models": " ", "effort": "low"}, "models"),
        ("a", {"models": "*", "effort": "little"}, "effort"),
        ("a", {"models": "*", "most_output_tokens": -1}, "most_output_tokens"),
        ("a", {"models": "*"}, "models"),
    ],
)
def test_what_makes_no_sense_is_named(name, fields, key):
    wrong, accepted = variant_fault(name, VariantSettings(**fields))
    assert (wrong, bool(accepted)) == (key, True)


def test_usual_settings_are_fine():
    assert variant_fault("less-thought", VariantSettings(models="gpt-*", effort="low")) is None


def test_a_variant_is_about_those_whom_it_names():
    of_web = VariantSettings(models="gpt-*", effort="low", app="web")
    assert of_web.is_of(Owner(team="x", app="web"))
    assert not of_web.is_of(Owner(team="x"))
