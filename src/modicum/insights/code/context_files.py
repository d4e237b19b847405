"""Files of a project that agents put into every prompt, and how many tokens a change adds to them."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from modicum.calls import UserError

CONTEXT_FILES = (
    "**/CLAUDE.md",
    "**/AGENTS.md",
    "**/GEMINI.md",
    "**/.cursorrules",
    "**/.cursor/rules/**",
    "**/.windsurfrules",
    "**/.clinerules",
    ".github/copilot-instructions.md",
    ".claude/agents/**",
    ".claude/skills/**",
    ".claude/commands/**",
    ".mcp.json",
    "prompts/**",
)
"""Names by which agents look for instructions, and where projects keep prompts."""
MOST_BYTES = 10_000_000


class ContextFileChange(NamedTuple):
    path: str
    before_tokens: int
    after_tokens: int

    @property
    def added_tokens(self) -> int:
        return self.after_tokens - self.before_tokens


def changed_context_files(
    folder: Path, base: str, count: Callable[[str], int], more: Sequence[str] = ()
) -> list[ContextFileChange]:
    """The files of a git repository that agents read into their prompts and that differ from a base, the largest
    change first.

    Args:
        folder: within the repository.
        base: a commit, branch or tag.
        count: tokens of a text.
        more: further patterns, as git's pathspecs with `**`.

    Raises:
        UserError: there is no such repository or base.
    """
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}").strip()
    if not commit:
        raise UserError(f"git knows no '{base:.80}' in {folder.resolve()}; fetch it, or name another --base")
    top = Path(_git(folder, "rev-parse", "--show-toplevel").strip())
    patterns = [f":(top,glob){pattern}" for pattern in (*CONTEXT_FILES, *more)]
    names = _git(folder, "diff", "--name-only", "--no-renames", "-z", commit, "--", *patterns)
    new = _git(top, "ls-files", "--others", "--exclude-standard", "-z", "--", *patterns)
    changes = []
    for path in dict.fromkeys(name for name in (names + new).split("\0") if name):
        before, after = _git(top, "show", f"{commit}:{path}"), _text(top / path)
        changes.append(ContextFileChange(path, count(before), count(after)))
    return sorted((one for one in changes if one.added_tokens), key=lambda one: -abs(one.added_tokens))


def _text(path: Path) -> str:
    """Empty where it was deleted, is a link, or no text."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_BYTES:
        return ""
    return path.read_bytes().decode("utf-8", "replace")


def _git(folder: Path, *words: str) -> str:
    """What git prints; empty where it fails."""
    command = ["git", "-c", "core.quotePath=false", "-C", str(folder), *words]
    try:
        shown = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - a fixed command
    except FileNotFoundError:
        raise UserError("--base needs git, which is not installed here") from None
    return shown.stdout.decode("utf-8", "replace") if shown.returncode == 0 else ""
