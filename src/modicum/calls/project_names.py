"""One name for one project, however a log spells its folder: paths of Windows, file URIs, worktrees of a repository.

Only spellings are settled here, and only layouts whose repository the path itself tells. Tools that gather worktrees of
all repositories in one place (`~/.cursor/worktrees`, `~/.codex/worktrees`) do not tell it: those stay apart.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

_WINDOWS = r"[A-Za-z]:(?:[\\/]|$)|\\\\|//[?.]/"
_DEVICE = r"(?i)^\\\\[?.]\\(UNC\\)?"
_REPEATED = r"(?<!^)\\{2,}"
_WSL = r"(?i)^\\\\wsl(?:\$|\.localhost)\\"
_MOUNT = r"^/(?:mnt/|cygdrive/)?([a-zA-Z])(/.*)?$"
"""A drive of Windows as WSL, Cygwin and Git Bash show it."""

_IN_REPOSITORY = r"^(.*?)[\\/]\.(?:claude|git|gemini|qwen|kilocode|kilo)[\\/]worktrees[\\/][^\\/]"
"""Where agents and git itself put a worktree inside its repository."""
_BESIDE_REPOSITORY = r"^(.*?[\\/][^\\/]+)\.worktrees[\\/][^\\/]"
"""`shop.worktrees/NAME` of `shop`, as editors do."""
_BY_HABIT = r"^(.*?)[\\/]\.(?:worktrees|trees)[\\/][^\\/]"
"""`shop/.worktrees/NAME`; in a folder of many repositories, the same name holds worktrees of all of them."""
_HOME = r"(?i)^(?:|/|/root|/(?:home|Users)/[^/]+|[A-Z]:\\?|[A-Z]:\\Users\\[^\\]+)$"
_MANY_REPOSITORIES = frozenset(
    {
        *("code", "coding", "desktop", "dev", "develop", "development", "documents", "git", "github", "gitlab"),
        *("go", "home", "projects", "repo", "repos", "repositories", "sites", "source", "src", "work", "workspace"),
        *("workspaces", "worktrees"),
    }
)


@lru_cache(maxsize=4096)
def project_of(folder: str) -> str:
    """The name of the project that a folder belongs to: its path in one spelling, or that of its repository.

    A name that is no path (a project of an export) stays as it is.
    """
    if folder.startswith("file://"):
        folder = _path_of_uri(folder)
    # Patterns are compiled when they are needed, which in most bills is never.
    if folder.startswith("/") and not folder.startswith(("//?/", "//./")):
        if "trees" not in folder and "//" not in folder and not folder.endswith("/"):
            return folder
        return _repository(re.sub(r"(?<!^)/{2,}", "/", folder).rstrip("/") or "/")
    return _repository(_windows_path(folder)) if re.match(_WINDOWS, folder) else folder


def merge_projects(calls: Mapping[str, int]) -> dict[str, str]:
    """For each of these names the one under which it is shown, so that no project has two.

    Windows does not tell large letters from small ones: of such paths the spelling of most calls stands. A drive that
    WSL or Git Bash shows under a name of its own is the same folder, where its Windows path is there too.
    """
    spelled: dict[str, dict[str, int]] = {}
    keys = {name: _key(project_of(name)) for name in calls}
    windows = set(keys.values()) - {""}
    for name, own in list(keys.items()):
        if (mounted := _mounted(project_of(name))) in windows:
            keys[name] = mounted
        elif own:
            counts = spelled.setdefault(own, {})
            counts[project_of(name)] = counts.get(project_of(name), 0) + calls[name]
    shown = {key: min(counts, key=lambda name: (-counts[name], name)) for key, counts in spelled.items()}
    return {name: shown.get(key, project_of(name)) for name, key in keys.items()}


def _path_of_uri(uri: str) -> str:
    path = uri.removeprefix("file://").removeprefix("localhost").encode("utf-8", "replace")
    plain = re.sub(rb"%([0-9a-fA-F]{2})", lambda found: bytes([int(found[1], 16)]), path).decode("utf-8", "replace")
    return plain[1:] if re.match(r"/[A-Za-z]:", plain) else plain


def _windows_path(folder: str) -> str:
    path = folder.replace("/", "\\")
    path = re.sub(_DEVICE, lambda found: "\\\\" if found[1] else "", path)
    path = re.sub(_WSL, r"\\\\wsl.localhost\\", re.sub(_REPEATED, r"\\", path))
    if path[1:2] == ":":
        return (path[0].upper() + path[1:]).rstrip("\\") + ("\\" if len(path.rstrip("\\")) == 2 else "")
    return path.rstrip("\\")


def _repository(path: str) -> str:
    """The repository of a worktree; any other path as it is."""
    for layout in (_IN_REPOSITORY, _BESIDE_REPOSITORY, _BY_HABIT):
        if (found := re.match(layout, path)) and not re.match(_HOME, found[1]):
            name = re.split(r"[\\/]", found[1])[-1].lower()
            if layout is not _BY_HABIT or name not in _MANY_REPOSITORIES:
                return found[1]
    return path


def _key(project: str) -> str:
    """What is equal for equal folders of Windows; empty for other names."""
    return project.lower() if re.match(_WINDOWS, project) else ""


def _mounted(project: str) -> str:
    found = re.match(_MOUNT, project)
    return _key(_windows_path(f"{found[1]}:{found[2] or '/'}")) if found else ""
