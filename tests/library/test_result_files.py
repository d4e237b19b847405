import pytest

from modicum.calls import UserError
from modicum.library.result_files import expand_result_files


def test_a_folder_stands_for_the_results_in_it_at_any_depth(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("a.csv", "deep/b.jsonl.gz", "notes.txt"):
        (tmp_path / name).touch()

    assert expand_result_files([tmp_path, tmp_path / "notes.txt"]) == [
        tmp_path / "a.csv",
        tmp_path / "deep" / "b.jsonl.gz",
        tmp_path / "notes.txt",
    ]


def test_a_folder_without_results_is_named(tmp_path):
    with pytest.raises(UserError, match="holds no results"):
        expand_result_files([tmp_path])
