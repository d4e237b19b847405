import os
import subprocess

import pytest

from modicum.calls import Problem, UserError
from modicum.insights.code.codebase import (
    BINARY,
    FOLDER,
    LINK,
    MOST_BYTES,
    NOT_UTF8,
    TOO_LARGE,
    decode_text,
    list_files,
    read_text,
)


@pytest.fixture
def tree(tmp_path):
    names = {
        "kept.py": "x",
        "junk.log": "x",
        "a/kept.py": "x",
        "a/special.log": "x",
        "a/local": "x",
        "build/out.py": "x",
    }
    for name, text in names.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / ".gitignore").write_text("*.log\nbuild/\n")
    (tmp_path / "a/.gitignore").write_text("!special.log\n/local\n")
    return tmp_path


WANTED = (".gitignore", "a/.gitignore", "a/kept.py", "a/special.log", "kept.py")


def test_a_folder_without_repository_is_walked_by_its_gitignore_files(tree):
    found = list_files(tree)

    assert tuple(sorted(found.files)) == WANTED
    assert "not listed by git" in found.rule


def test_a_repository_lists_what_it_tracks_and_what_is_new(tree):
    subprocess.run(["git", "init", "-q", tree], check=True)
    subprocess.run(["git", "-C", tree, "add", "kept.py"], check=True)

    found = list_files(tree)

    assert found.files == WANTED
    assert "tracked by git" in found.rule


def test_a_folder_within_a_repository_lists_what_lies_below_it(tree):
    subprocess.run(["git", "init", "-q", tree], check=True)

    assert list_files(tree / "a").files == (".gitignore", "kept.py", "special.log")


def test_a_folder_that_its_repository_ignores_is_walked_when_it_is_named(tree):
    subprocess.run(["git", "init", "-q", tree], check=True)

    assert list_files(tree / "build").files == ("out.py",)


def test_odd_names_are_listed_as_they_are(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    names = {"with space.py", 'quote".py', "línea\nbreak.py"}
    for name in names:
        (tmp_path / name).write_text("x")

    assert set(list_files(tmp_path).files) == names


def test_a_file_or_nothing_where_a_folder_is_wanted_says_what_to_type(tree):
    with pytest.raises(UserError, match="'modicum count' counts files"):
        list_files(tree / "kept.py")
    with pytest.raises(UserError, match="does not exist"):
        list_files(tree / "none")


def test_a_text_file_has_its_text_without_the_byte_order_mark(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffgrün".encode())

    assert read_text(path) == "grün"


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"a\0b", BINARY), ("grün".encode("latin-1"), NOT_UTF8), ("ab".encode("utf-16"), BINARY)],
)
def test_bytes_that_are_no_text_have_a_reason(data, reason):
    assert decode_text(data, "it") == Problem("it", reason)


def test_folders_and_links_are_not_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)

    assert read_text(tmp_path).reason == FOLDER
    assert read_text(tmp_path / "link").reason == LINK


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "huge"
    with path.open("wb") as stream:
        stream.truncate(MOST_BYTES + 1)

    assert read_text(path).reason == TOO_LARGE


def test_a_file_that_is_gone_is_a_problem_with_its_place(tmp_path):
    problem = read_text(tmp_path / "gone")

    assert str(problem) == f"{tmp_path / 'gone'}: cannot be read: No such file or directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_one_may_not_read_is_a_problem(tmp_path):
    path = tmp_path / "secret"
    path.write_text("x")
    path.chmod(0)

    assert "Permission denied" in read_text(path).reason
