"""The commands that README and docs print, and which of them nobody can run here.

`scripts/test-docs` runs them as printed, page by page, each page in a home of its own with the sample in the place of
Claude Code's logs; `test_docs_commands.py` holds every one of them to the command line without running it.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELLS = ("", "console", "sh")
OURS = ("modicum", "scripts/run")
LONGEST_S = 60


RUNS_ON = "runs until it is stopped"
OWN_TEAM = "runs a team of the reader's own"
SERVER = "needs a model server with a GPU, or what such a run wrote down"
PROVIDER = "asks a provider"
OWN_FILES = "needs the reader's own files, of a kind that is not in the sample"
NOT_RUN = {
    **dict.fromkeys(
        (
            "modicum live",
            "modicum live ~/.claude/projects --minutes 15",
            "modicum console",
            "modicum console --found",
            "modicum console ~/.claude/projects",
            "modicum up",
            "modicum mock &",
            "modicum top --by team",
        ),
        RUNS_ON,
    ),
}
"""Commands that need what is not here, with what that is."""


class Printed(NamedTuple):
    page: str
    command: str


def printed():
    """Every command of every page, in order, without the comment behind it."""
    return [
        Printed(str(page.relative_to(ROOT)), command)
        for page in PAGES
        for language, block in FENCE.findall(page.read_text(encoding="utf-8"))
        if language in SHELLS
        for command in commands_in(block)
    ]


def commands_in(block):
    """The commands of a block. Where one stands behind a `$`, what does not is what was printed."""
    lines = re.sub(r"\s*\\\n\s*", " ", block).splitlines()
    if any(line.startswith("$ ") for line in lines):
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    first_words = tuple(f"{word} " for word in OURS)
    return [line for line in (without_comment(line) for line in lines) if f"{line} ".startswith(first_words)]


def without_comment(line):
    return re.sub(r"\s+#.*", "", line).rstrip()


def run_pages(names):
    """Runs the commands of the pages whose names begin so; gives what failed."""
    faults, number = [], 0
    with tempfile.TemporaryDirectory(prefix="modicum-docs-") as folder:
        prepared = Path(folder) / "prepared"
        prepare(prepared)
        for page, commands in groupby(printed(), lambda one: one.page):
            if names and not page.startswith(tuple(names)):
                continue
            home = Path(folder) / page.replace("/", "-")
            shutil.copytree(prepared, home, symlinks=True)
            for one in commands:
                if one.command in NOT_RUN:
                    continue
                number += 1
                ended = run_in(home, one.command)
                if ended.returncode != 0:
                    faults.append(
                        f"{page}: {one.command}\n    status {ended.returncode}: {ended.stderr.strip()[-300:]}"
                    )
    return number, faults


def prepare(home):
    """A home with the sample as logs and in the ledger, in whose folder `work` commands are typed."""
    sample = ROOT / "src" / "modicum" / "sample"
    work = home / "work"
    work.mkdir(parents=True)
    for name in ("src", "scripts", "docs"):
        (work / name).symlink_to(ROOT / name)
    shutil.copytree(sample / "logs", home / ".claude" / "projects")
    for command in ("modicum import src/modicum/sample/logs", "modicum outcome import src/modicum/sample/outcomes.csv"):
        ended = run_in(home, command)
        assert ended.returncode == 0, ended.stderr


def run_in(home, command):
    """A line, as somebody types it in a shell in that home; `scripts/run` is the command itself, which it starts."""
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("DATA", "CONFIG", "CACHE", "STATE")}
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {"HOME": str(home), "PATH": path, "TZ": "UTC", "LANG": "C.UTF-8", **folders}
    return subprocess.run(
        ["timeout", str(LONGEST_S), "bash", "-c", command.replace("scripts/run", "modicum")],
        cwd=home / "work",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    number, faults = run_pages(sys.argv[1:])
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    sys.stdout.write(f"{number} commands run, {len(faults)} failed, {len(NOT_RUN)} not run (tests/docs_commands.py)\n")
    sys.exit(bool(faults))
