import pytest

from modicum.calls import UserError
from modicum.settings import checked_zone


def test_a_zone_by_its_name():
    assert checked_zone("Europe/Berlin").key == "Europe/Berlin"


@pytest.mark.parametrize("name", ["Berlin", "", "../etc", "Europe"])
def test_what_is_no_zone_is_said(name):
    with pytest.raises(UserError, match="there is no time zone"):
        checked_zone(name)
