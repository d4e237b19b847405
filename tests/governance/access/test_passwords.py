import pytest

from modicum.calls import UserError
from modicum.governance.access.passwords import MOST_LENGTH, check_password, hash_password

WORDS = "four words are easy \N{SNOWMAN}"


def test_the_right_password_opens_and_two_hashes_of_it_differ():
    one, other = hash_password(WORDS), hash_password(WORDS)

    assert one != other
    assert WORDS not in one
    assert check_password(WORDS, one)
    assert not check_password(WORDS + " ", one)


def test_no_hash_opens_nothing():
    assert not check_password("", "")
    assert not check_password(WORDS, "")
    assert not check_password(WORDS, "md5$abc")


@pytest.mark.parametrize("password", ["short", "x" * (MOST_LENGTH + 1)])
def test_a_password_that_can_be_guessed_is_refused(password):
    with pytest.raises(UserError, match="12 to 1,000"):
        hash_password(password)
