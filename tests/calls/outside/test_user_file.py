import subprocess

import pytest

from modicum.calls.outside.user_file import digest_of, is_in_repository, replace_user_file


def test_a_file_is_replaced_whole_with_its_rights(tmp_path):
    file = tmp_path / "a" / "settings.json"
    replace_user_file(file, b"one")
    file.chmod(0o640)

    replace_user_file(file, b"two")

    assert file.read_bytes() == b"two"
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(file.parent.iterdir()) == [file]


def test_where_it_cannot_be_written_nothing_is_left_behind(tmp_path):
    folder = tmp_path / "own"
    (folder / "settings.json").mkdir(parents=True)

    with pytest.raises(OSError, match="directory"):
        replace_user_file(folder / "settings.json", b"one")

    assert [path.name for path in folder.iterdir()] == ["settings.json"]


def test_a_file_of_a_repository_is_one_that_git_has(tmp_path):
    file, other = tmp_path / "settings.json", tmp_path / "settings.local.json"
    file.write_text("{}")
    other.write_text("{}")
    assert not is_in_repository(file)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "add", "settings.json"], check=True)

    assert is_in_repository(file)
    assert not is_in_repository(other)


def test_contents_are_known_by_their_digest():
    assert digest_of(b"a") == digest_of(b"a") != digest_of(b"b")
