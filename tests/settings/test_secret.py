"""Where secrets are, and what is said of those that are not there."""

import pytest

from modicum.calls import UserError
from modicum.settings.secret import is_place, secret_at


def test_a_secret_comes_from_the_environment_or_a_file(tmp_path):
    (tmp_path / "token").write_text("abc\n")

    assert secret_at("metrics.token", "env:TOKEN", {"TOKEN": " xyz "}) == "xyz"
    assert secret_at("metrics.token", f"file:{tmp_path / 'token'}", {}) == "abc"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("s3cret", "must say where"),
        ("env:", "must say where"),
        ("vault:x", "must say where"),
        ("env:NOT_SET", "NOT_SET is not set"),
        ("file:/nowhere/at/all", "cannot be read"),
        ("file:/dev/null", "is empty"),
    ],
)
def test_one_that_is_not_there_is_named_and_never_shown(value, message):
    with pytest.raises(UserError, match=message) as refused:
        secret_at("metrics.token", value, {})

    assert "metrics.token" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_what_is_no_place_is_known():
    assert not is_place("https://hooks.example.com/T0/secret")
    assert is_place("env:HOOK")
