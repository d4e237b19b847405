import pytest

from modicum.settings.state import StateSettings, state_fault


@pytest.mark.parametrize(
    "url", ["", "redis://host", "redis://u:p@host:6379/0", "rediss://host:1/2", "unix:///run/valkey.sock"]
)
def test_addresses(url):
    assert state_fault(StateSettings(redis=url)) is None


@pytest.mark.parametrize("url", ["host:6379", "http://host", "redis://", "redis://host:port", "redis://host/name"])
def test_what_is_no_address(url):
    assert state_fault(StateSettings(redis=url))[0] == "redis"


@pytest.mark.parametrize("prefix", ["", "a{b", "é", "x" * 65, "a\n"])
def test_what_is_no_prefix(prefix):
    assert state_fault(StateSettings(prefix=prefix))[0] == "prefix"
