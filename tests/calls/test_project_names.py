import pytest

from modicum.calls.project_names import merge_projects, project_of


@pytest.mark.parametrize(
    "spelled",
    [
        "C:\\LAB\\ROCKET_2",
        "c:\\LAB\\ROCKET_2",
        "c:/LAB/ROCKET_2/",
        "C:\\LAB\\\\ROCKET_2\\",
        "\\\\?\\C:\\LAB\\ROCKET_2",
        "//?/c:/LAB/ROCKET_2",
        "file:///c%3A/LAB/ROCKET_2",
        "C:\\LAB\\ROCKET_2\\.claude\\worktrees\\merry-otter",
        "c:/LAB/ROCKET_2/.claude/worktrees/merry-otter/src",
        "C:\\LAB\\ROCKET_2.worktrees\\fix",
    ],
)
def test_a_folder_of_windows_has_one_name(spelled):
    assert project_of(spelled) == "C:\\LAB\\ROCKET_2"


@pytest.mark.parametrize(
    ("spelled", "project"),
    [
        ("\\\\?\\UNC\\server\\share\\shop", "\\\\server\\share\\shop"),
        ("\\\\server\\share\\shop\\", "\\\\server\\share\\shop"),
        ("\\\\wsl$\\Ubuntu\\home\\kim", "\\\\wsl.localhost\\Ubuntu\\home\\kim"),
        ("c:", "C:\\"),
        ("C:\\", "C:\\"),
        ("/home/kim/shop/", "/home/kim/shop"),
        ("/home//kim/shop", "/home/kim/shop"),
        ("file:///home/kim/a%20shop", "/home/kim/a shop"),
        ("/", "/"),
        ("", ""),
        ("c", "c"),
        ("support bot: v2", "support bot: v2"),
        ("proj_01/", "proj_01/"),
    ],
)
def test_other_names_are_only_tidied_where_they_are_paths(spelled, project):
    assert project_of(spelled) == project


@pytest.mark.parametrize(
    "worktree",
    [
        "/home/kim/shop/.claude/worktrees/merry-otter-1a2b",
        "/home/kim/shop/.claude/worktrees/merry-otter-1a2b/packages/api",
        "/home/kim/shop/.claude/worktrees/a/.claude/worktrees/b",
        "/home/kim/shop/.git/worktrees/a",
        "/home/kim/shop/.gemini/worktrees/a",
        "/home/kim/shop/.kilocode/worktrees/a",
        "/home/kim/shop/.worktrees/fix/login",
        "/home/kim/shop.worktrees/fix/login",
    ],
)
def test_a_worktree_belongs_to_its_repository(worktree):
    assert project_of(worktree) == "/home/kim/shop"


@pytest.mark.parametrize(
    "folder",
    [
        "/home/kim/shop",
        "/home/kim/shop-fix",
        "/home/kim/.claude/worktrees/a",
        "/home/kim/.worktrees/shop",
        "/home/kim/projects/.worktrees/shop-fix",
        "/home/kim/worktrees/shop",
        "/home/kim/.cursor/worktrees/shop/a1",
        "/home/kim/.codex/worktrees/a1/shop",
        "/home/kim/shop/.claude/worktrees",
        "/home/kim/shop/.claude",
    ],
)
def test_what_may_be_another_project_stays_one(folder):
    assert project_of(folder) == folder


def test_projects_that_differ_in_no_folder_are_shown_once_under_the_name_of_most_calls():
    names = {"C:\\lab\\Shop": 1, "C:\\LAB\\Shop": 5, "/mnt/c/LAB/shop": 3, "/c/lab/shop": 1, "/mnt/d/x": 1, "shop": 2}

    assert merge_projects(names) == {
        "C:\\lab\\Shop": "C:\\LAB\\Shop",
        "C:\\LAB\\Shop": "C:\\LAB\\Shop",
        "/mnt/c/LAB/shop": "C:\\LAB\\Shop",
        "/c/lab/shop": "C:\\LAB\\Shop",
        "/mnt/d/x": "/mnt/d/x",
        "shop": "shop",
    }


def test_elsewhere_large_letters_differ_from_small_ones():
    assert merge_projects({"/mnt/c/Shop": 1, "/mnt/c/shop": 1, "/x/a": 1, "/x/A": 1}) == {
        name: name for name in ("/mnt/c/Shop", "/mnt/c/shop", "/x/a", "/x/A")
    }
