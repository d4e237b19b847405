import pytest

from modicum.calls import UserError
from modicum.settings.console import pages_address


def test_pages_are_for_this_machine():
    assert pages_address("127.0.0.1:4101") == ("127.0.0.1", 4101)
    assert pages_address("[::1]:80") == ("::1", 80)
    assert pages_address("LocalHost:0") == ("localhost", 0)


@pytest.mark.parametrize("address", ["0.0.0.0:4101", "10.0.0.1:4101", "example.com:80", "[::]:4101"])
def test_an_address_that_others_reach_is_refused_with_a_way(address):
    with pytest.raises(UserError, match="ssh -L"):
        pages_address(address)


def test_what_is_no_address_is_said():
    with pytest.raises(UserError, match=r"console\.pages_listen 'here' is no address"):
        pages_address("here")
