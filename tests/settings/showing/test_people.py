import pytest

from modicum.settings.showing.people import PeopleSettings


def test_others_are_groups_unless_somebody_says_otherwise():
    assert PeopleSettings().show == "groups"
    assert PeopleSettings(show="everyone").me == ()
    with pytest.raises(ValueError, match="accepted are 'groups', 'everyone'"):
        PeopleSettings(show="all")
