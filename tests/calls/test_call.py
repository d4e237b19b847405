import pytest

from modicum.calls import Tier


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("flex", Tier.FLEX),
        ("ON_DEMAND_PRIORITY", Tier.PRIORITY),
        ("default", Tier.STANDARD),
        ("auto", Tier.STANDARD),
        ("", Tier.STANDARD),
    ],
)
def test_providers_have_several_names_for_a_lane(name, tier):
    assert Tier.from_name(name) is tier
