import pytest

from modicum.calls import UserError
from modicum.library.paths import as_paths


def test_one_path_or_several_in_any_form(tmp_path, home):
    (home / "a").touch()
    (tmp_path / "b").touch()

    assert as_paths("~/a") == [home / "a"]
    assert as_paths([str(tmp_path / "b"), home / "a"]) == [tmp_path / "b", home / "a"]


def test_a_path_that_leads_nowhere_is_named(tmp_path):
    with pytest.raises(UserError, match="there is no file or folder"):
        as_paths(tmp_path / "nowhere")
