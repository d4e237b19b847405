import pytest

from modicum.calls import UserError
from modicum.calls.extras import install_command, is_installed, load_extra


def test_a_missing_package_is_an_error_that_says_what_to_type():
    with pytest.raises(UserError, match=r"^reading GPUs needs .* -m pip install '.+\[nvidia\]'$"):
        load_extra("nvidia", "reading GPUs", "no_such_package.at_all")


def test_without_a_checkout_it_is_installed_by_name(monkeypatch, tmp_path):
    monkeypatch.setattr("modicum.calls.extras.__file__", str(tmp_path / "a" / "b" / "c" / "extras.py"))

    assert install_command("otel") == "pip install 'modicum[otel]'"


def test_a_package_that_is_there_is_loaded():
    assert load_extra("any", "this", "json.decoder").__name__ == "json.decoder"


def test_whether_a_package_is_there_is_known_without_loading_it():
    assert is_installed("json")
    assert not is_installed("no_such_package")
