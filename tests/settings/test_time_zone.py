import pytest

from modicum.calls import UserError
from modicum.settings import time_zone
from modicum.settings.time_zone import checked_zone, machine_zone, user_zone


@pytest.fixture(autouse=True)
def system(tmp_path, monkeypatch):
    """A system without a zone; tests give it one."""
    monkeypatch.setattr(time_zone, "LOCAL_TIME", tmp_path / "localtime")
    monkeypatch.setattr(time_zone, "ZONE_FILE", tmp_path / "timezone")
    return tmp_path


def test_a_zone_by_its_name():
    assert checked_zone("Europe/Berlin").key == "Europe/Berlin"


@pytest.mark.parametrize("name", ["Berlin", "", "../etc", "Europe"])
def test_what_is_no_zone_is_said(name):
    with pytest.raises(UserError, match="there is no time zone"):
        checked_zone(name)


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":America/New_York", "America/New_York"),
        ("/usr/share/zoneinfo/Asia/Tokyo", "Asia/Tokyo"),
        ("", "UTC"),
        ("Etc/UTC", "UTC"),
        ("/usr/share/zoneinfo/Zulu", "UTC"),
        ("EST5EDT", "EST5EDT"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", ""),
        ("../../etc/passwd", ""),
    ],
)
def test_the_environment_names_the_zone_in_several_ways(told, name):
    assert machine_zone({"TZ": told}) == name


def test_the_system_names_its_zone_by_a_link_or_in_a_file(system):
    assert machine_zone({}) == ""
    (system / "timezone").write_text("Asia/Tokyo\n")
    assert machine_zone({}) == "Asia/Tokyo"
    (system / "localtime").symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    assert machine_zone({}) == "Europe/Berlin"


def test_what_is_asked_for_stands_above_the_settings_and_these_above_the_machine():
    environment = {"TZ": "Asia/Tokyo"}

    assert user_zone("Europe/Berlin", "America/New_York", environment)[:] == ("America/New_York", "--timezone")
    assert user_zone("Europe/Berlin", None, environment)[:] == ("Europe/Berlin", "timezone in the settings")
    assert user_zone("", None, environment)[:] == ("Asia/Tokyo", "this machine's time zone")


def test_without_any_zone_it_is_utc_and_says_so():
    found = user_zone("", None, {})

    assert (found.name, found.zone.key) == ("UTC", "UTC")
    assert "not found" in found.origin
