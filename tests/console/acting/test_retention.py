import msgspec
import pytest

from modicum.calls import UserError
from modicum.console.access.viewer import ForbiddenError
from modicum.console.acting.retention import read_retention, set_keep_days
from modicum.console.acting.settings_changes import read_changes, undo_change
from modicum.governance.settings_log import audit_settings
from modicum.settings.editing.changes import ChangedMeanwhileError


def test_an_owner_sets_it_on_record_and_takes_it_back(asking_as, settings_file):
    before = settings_file.read_text("utf-8")
    owner = asking_as("ann")

    event = set_keep_days(owner, " 90 ", "0")
    owner.forget()
    assert "keep_days = 90" in settings_file.read_text("utf-8")
    assert read_retention(owner).keep_days == 90
    assert [one.change_id for one in read_retention(owner).changes] == [event.change_id]
    assert audit_settings([event])[0].subject == "keep_days"

    undo_change(owner, event.change_id)
    assert settings_file.read_text("utf-8") == before
    assert read_changes(owner) == []


def test_the_second_of_two_owners_is_refused(asking_as, settings_file):
    set_keep_days(asking_as("ann"), "90", "0")

    with pytest.raises(ChangedMeanwhileError, match="90"):
        set_keep_days(asking_as("ann"), "30", "0")
    assert "keep_days = 90" in settings_file.read_text("utf-8")
    set_keep_days(asking_as("ann"), "", "90")
    assert "keep_days" not in settings_file.read_text("utf-8")


def test_editors_neither_set_it_nor_take_it_back(asking_as, settings_file):
    with pytest.raises(ForbiddenError):
        set_keep_days(asking_as("eve"), "90", "0")
    event = set_keep_days(asking_as("ann"), "90", "0")
    assert read_retention(asking_as("eve")).changes == []
    with pytest.raises(ForbiddenError, match="ask one"):
        undo_change(asking_as("eve"), event.change_id)
    assert "keep_days = 90" in settings_file.read_text("utf-8")


@pytest.mark.parametrize("typed", ["soon", "-1", "0", "1.5", "99999999", "0000000019999999", "9" * 5000])
def test_what_are_no_days_is_said(asking_as, typed):
    with pytest.raises(UserError, match="are no days"):
        set_keep_days(asking_as("ann"), typed, "0")


def test_a_zero_in_the_file_is_no_change_of_somebody_else(asking_as, settings_file):
    settings_file.write_text("keep_days = 0\n" + settings_file.read_text("utf-8"), "utf-8")

    assert msgspec.json.decode(set_keep_days(asking_as("ann"), "70", "0").now) == 70


def test_days_that_a_budget_would_not_survive_are_refused_with_its_name_and_place(asking_as, settings_file):
    """A budget of a month has to know what was spent in it, also after a restart."""
    with pytest.raises(UserError, match=r"/modicum\.toml:5: budget 'all'"):
        set_keep_days(asking_as("ann"), "7", "0")


def test_it_is_set_on_the_page_of_users(site, settings_file):
    ann = site.log_in("ann")
    assert 'action="/users/retention"' in site.get("/users", **ann).text
    assert site.post("/users/retention", ann, days="90", looked_at="0").headers["location"] == "/users#retention"

    shown = site.get("/users", **ann).text
    assert "Calls are forgotten after 90 days" in shown
    assert "Take it back" in shown
    assert site.post("/users/retention", ann, days="30", looked_at="0").status == 409
    change = read_changes(site.asking)[0].change_id
    assert site.post("/waste/undo", ann, change=change, page="users").headers["location"] == "/users"
    assert "keep_days" not in settings_file.read_text("utf-8")
