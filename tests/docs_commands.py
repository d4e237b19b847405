"""The commands that README and docs print, and which of them nobody can run here.

`scripts/test-docs` runs them as printed, page by page, each page in a home of its own with the sample in the place of
Claude Code's logs and made-up files under the names that pages print (`docs_files.py`); `test_docs_commands.py` holds
every one of them to the command line without running it.
"""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from docs_files import write_files, write_logs, write_repository

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELLS = ("", "console", "sh")
OURS = ("modicum", "scripts/run")
LONGEST_S = 180
TIMED_OUT = 124  # the status that `timeout` ends with
ONE_AT_A_TIME = Lock()

REASONS = {
    "it names a call or a route of the reader's own gateway": (
        "modicum optimize explain CALL",
        "modicum experiment propose --route web/gpt-5-mini",
    ),
    "it needs sessions in a repository of the reader's own, or what became of its pull requests": (
        "modicum outcome from-git ~/src/shop",
        "modicum outcome from-pull-requests ~/src/shop pulls.json --sessions ~/.claude/projects",
        "modicum yield --outcome pull_requests_kept",
        "modicum yield --outcome commits --by model",
    ),
    "it needs calls or outcomes of a kind that the sample lacks": (
        "modicum compare gpt-5 gpt-5-mini --outcome resolved --pair tag:case",
        "modicum route train --logs ~/.claude/projects --outcome resolved --loss 1",
    ),
    "it runs a team of the reader's own, or reads what one left in a ledger": (
        (
            "modicum team fit --runner myteam:team --tasks tasks.jsonl --learner agentdropout --budget-tokens 2000000 "
            "--out plan.json"
        ),
        "modicum team fit --runner myteam:team --tasks tasks.jsonl --learner agentdropout-released --out plan.json",
        "modicum team attribute --ledger team.duckdb",
        "modicum team fit --runner myteam:team --tasks t.jsonl",
        "modicum team verify plan.json --runner ... --tasks ...",
        "modicum team show plan.json --svg x.svg",
        "modicum import calls.jsonl && modicum outcome import outcomes.jsonl",
        "modicum team attribute --outcome solved",
    ),
    "it needs a GPU, or what was written down beside one": (
        "modicum energy watch --server http://127.0.0.1:8000 --log run.jsonl",
        "modicum energy bench --server http://127.0.0.1:8000 --model m --out points.json --picture trade.svg",
        "modicum energy fit run.jsonl",
        "modicum energy whatif run.jsonl --input-cut 40% --output-cut 20%",
        "modicum tco --rent 2.69 --bench points.json --watch run.jsonl --api groq/openai/gpt-oss-120b",
    ),
    "it asks another host": (
        "modicum reconcile --from openai --since 2026-11-01",
        "modicum budget mirror https://claude-gateway.internal.example.com --key env:GATEWAY_ADMIN_KEY >> modicum.toml",
        "modicum ledger copy ~/.local/share/modicum/ledger.duckdb clickhouse://user:password@ledger.internal:8443/modicum",
        "modicum compare run tasks.jsonl --models gpt-4o,gpt-4o-mini --grader exact --budget 2",
        (
            "modicum trial terse --tasks tasks.jsonl --with '--append-system-prompt \"Be short.\"' --copy repo "
            "--check 'pytest -q' -- claude -p {prompt} {arm} --output-format json"
        ),
        "modicum trial proxy --budget 20 --meter gateway --tasks tasks.jsonl --set ... -- my-agent {prompt}",
    ),
    "a restore overwrites nothing: it is for another machine, or after a loss": (
        "modicum backup restore monday.modicum-backup",
    ),
}
NOT_RUN = {command: reason for reason, commands in REASONS.items() for command in commands}
"""Commands that cannot be run here, with why."""
UNTIL_STOPPED = (
    "modicum live",
    "modicum live ~/.claude/projects --minutes 15",
    "modicum console",
    "modicum console --found",
    "modicum console ~/.claude/projects",
    "modicum up",
    "modicum mock &",
    "modicum top --by team",
)
"""They are stopped, as by Ctrl-C, once they have printed something."""
SESSION_OF_AN_AGENT = '{"session_id": "6113e919-0000", "transcript_path": "", "cwd": "."}'
ANSWERS = {
    "modicum hooks install claude-code": "y\n",
    "modicum hooks act claude-code --rule content.log_fold": "y\n",
    "modicum fix --ask": "n\n" * 50,
    "modicum cache status --stdin": SESSION_OF_AN_AGENT,
    "modicum cache status --stdin --warn-over 0.50": SESSION_OF_AN_AGENT,
}
"""What is typed, or handed over by an agent."""
OF_RECENT_CALLS = ("docs/audit.md", "docs/blocks.md", "docs/focus.md", "docs/forecast.md", "docs/showback.md")
"""Pages whose commands ask the ledger of this week or month, of the last month or of November 2026."""
SETTINGS = {
    "docs/budgets.md": ("modicum.toml", '[[budget]]\nname = "platform-month"'),
    "docs/routing.md": ("modicum.toml", "[routes.mine]", "[cascades.json]"),
    "docs/policy.md": ("policy.toml", "data_classes ="),
}
"""Pages whose commands want the settings that they print: the file, and how the blocks begin."""


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
    """Runs the commands of the pages whose names begin so; gives how many, and what failed."""
    with tempfile.TemporaryDirectory(prefix="modicum-docs-") as folder:
        prepared = Path(folder) / "prepared"
        prepare(prepared)
        pages = [
            (page, [one.command for one in commands if one.command not in NOT_RUN])
            for page, commands in groupby(printed(), lambda one: one.page)
            if not names or page.startswith(tuple(names))
        ]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            ran = list(pool.map(lambda one: run_page(prepared, Path(folder), *one), pages))
    return sum(len(commands) for _, commands in pages), [fault for faults in ran for fault in faults]


def run_page(prepared, folder, page, commands):
    """Runs the commands of a page in a home of its own; gives what failed."""
    home = folder / page.replace("/", "-")
    shutil.copytree(prepared, home, symlinks=True)
    write_settings(home, page)
    if page in OF_RECENT_CALLS:
        run_in(home, "modicum import ~/.claude/projects")
    faults = []
    for command in commands:
        ended = run_until_stopped(home, command) if command in UNTIL_STOPPED else run_in(home, command)
        if ended.returncode == 0:
            sys.stdout.write(".")
        else:
            said = f"it took over {LONGEST_S} s" if ended.returncode == TIMED_OUT else ended.stderr.strip()[-300:]
            faults.append(f"{page}: {command}\n    status {ended.returncode}: {said}")
            sys.stdout.write(f"\n{faults[-1]}\n")
        sys.stdout.flush()
    return faults


def prepare(home):
    """A home with the sample as logs and in the ledger, in whose folder `work` commands are typed."""
    sample = ROOT / "src" / "modicum" / "sample"
    work = home / "work"
    work.mkdir(parents=True)
    for name in ("src", "scripts", "docs"):
        (work / name).symlink_to(ROOT / name)
    projects = home / ".claude" / "projects"
    shutil.copytree(sample / "logs", projects)
    write_logs(projects)
    write_repository(work)
    for name in ("logs", "traces", "sessions"):
        (work / name).symlink_to(Path("..") / ".claude" / "projects")
    for command in (
        "modicum import src/modicum/sample/logs",
        "modicum outcome import src/modicum/sample/outcomes.csv",
        "modicum key create first",
    ):
        ended = run_in(home, command)
        assert ended.returncode == 0, ended.stderr
    write_files(work)


def write_settings(home, page):
    """The settings that this page prints, where its commands want them."""
    if page not in SETTINGS:
        return
    name, *beginnings = SETTINGS[page]
    blocks = [
        block for language, block in FENCE.findall((ROOT / page).read_text(encoding="utf-8")) if language == "toml"
    ]
    folder = home / "config" / "modicum"
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [next(block for block in blocks if block.startswith(beginning)) for beginning in beginnings]
    (folder / name).write_text("\n".join(chosen), encoding="utf-8")


def shell(home, command):
    """A line, as somebody types it in a shell in that home; `scripts/run` is the command itself, which it starts."""
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("DATA", "CONFIG", "CACHE", "STATE")}
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {"HOME": str(home), "PATH": path, "TZ": "UTC", "LANG": "C.UTF-8", **folders}
    words = ["timeout", str(LONGEST_S), "bash", "-c", command.replace("scripts/run", "modicum")]
    return words, {"cwd": home / "work", "env": environment, "text": True}


def run_in(home, command):
    words, options = shell(home, command)
    return subprocess.run(words, input=ANSWERS.get(command, ""), capture_output=True, check=False, **options)


def run_until_stopped(home, command):
    """Stopped once it has printed something, as by a person who has seen that it runs; it has to end by that alone."""
    words, options = shell(home, "exec " + command.removesuffix(" &"))
    with ONE_AT_A_TIME:  # their addresses are fixed
        running = subprocess.Popen(
            words[2:],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **options,
        )
        is_there, _, _ = select.select([running.stdout], [], [], LONGEST_S)
        os.killpg(running.pid, signal.SIGINT)
        try:
            said, _ = running.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            said = f"it goes on {LONGEST_S} s after Ctrl-C: {running.communicate()[0]}"
    status = 0 if is_there and running.returncode in {0, 130, -signal.SIGINT} else running.returncode or 1
    return subprocess.CompletedProcess(words, status, said, said)


if __name__ == "__main__":
    number, faults = run_pages(sys.argv[1:])
    counted = f"{number} commands run, {len(faults)} failed, {len(NOT_RUN)} not run"
    sys.stdout.write(f"\n{counted} (tests/docs_commands.py)\n")
    sys.exit(bool(faults))
