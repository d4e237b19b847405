import pytest

from modicum.providers.facts import DialectError
from modicum.providers.mock.options import MockOptions, parse_options


def test_wishes_stand_in_headers():
    headers = {"X-Mock-Output-Tokens": "7", "x-mock-fault": "garbage", "content-type": "application/json"}
    assert parse_options(headers) == MockOptions(output_tokens=7, fault="garbage")
    assert parse_options({}) == MockOptions()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-mock-fault", "earthquake"),
        ("x-mock-output-tokens", "many"),
        ("x-mock-output-tokens", "-1"),
        ("x-mock-chunks", "99999999999"),
        ("x-mock-wish", "1"),
    ],
)
def test_wishes_that_cannot_be_granted_are_refused(name, value):
    with pytest.raises(DialectError, match="x-mock-"):
        parse_options({name: value})
