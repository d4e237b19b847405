import pytest

from modicum.calls import UserError
from modicum.calls.extras import load_extra


def test_a_missing_package_is_an_error_that_says_what_to_type():
    with pytest.raises(UserError, match=r"^reading GPUs needs .*: pip install 'modicum\[nvidia\]'$"):
        load_extra("nvidia", "reading GPUs", "no_such_package.at_all")


def test_a_package_that_is_there_is_loaded():
    assert load_extra("any", "this", "json.decoder").__name__ == "json.decoder"
