import pytest

from modicum.calls import UserError
from modicum.settings.addresses import host_and_port, host_name


def test_an_address_in_its_parts():
    assert host_and_port("x", "127.0.0.1:4000") == ("127.0.0.1", 4000)
    assert host_and_port("x", "[::1]:0") == ("::1", 0)


@pytest.mark.parametrize("address", ["4000", ":4000", "a:b", "a:70000", ""])
def test_what_is_no_address_names_the_setting(address):
    with pytest.raises(UserError, match=r"gateway\.listen .*write it as 127\.0\.0\.1:4000"):
        host_and_port("gateway.listen", address)


@pytest.mark.parametrize(
    ("text", "name"),
    [("LLM.Example.", "llm.example"), ("[FD00::1]", "fd00::1"), ("a:1", None), ("", None), ("*.a", None)],
)
def test_a_host_in_the_one_way_of_writing_it(text, name):
    assert host_name(text) == name
