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


REASONS = {
    "it runs until it is stopped": (
        "modicum live",
        "modicum live ~/.claude/projects --minutes 15",
        "modicum console",
        "modicum console --found",
        "modicum console ~/.claude/projects",
        "modicum up",
        "modicum mock &",
        "modicum top --by team",
    ),
    "it asks a person": (
        "modicum hooks install claude-code",
        "modicum fix --ask",
    ),
    "hooks have to be installed first, which asks a person": (
        "modicum hooks act claude-code --rule content.log_fold",
        "modicum hooks remove claude-code",
    ),
    "the sample has no calls of that time": (
        "modicum audit --what-if model:claude-opus-4-5=claude-haiku-4-5 --since 7d",
        "modicum blocks --since 30d --csv",
        "modicum export focus --since 2026-11-01 --until 2026-12-01 --out november.csv",
        "modicum forecast",
        "modicum forecast --by tag:client --csv",
        "modicum forecast --on 2026-11-10",
        "modicum statement --month 2026-11",
        "modicum statement --by tag:client --html november.html",
        "modicum statement --by team,app --csv",
    ),
    "it names a call, session or budget of the reader's own": (
        "modicum show 6113e919 ~/.claude/projects",
        "modicum show msg_01QEj13D ~/.claude/projects --text",
        "modicum optimize explain CALL",
        "modicum budget raise platform-month --to 800 --until 3d --why 'launch week' --approved-by ann",
        "modicum budget raise each-key-day --of ci --to 50 --until 4h --why 'release tests'",
        "modicum budget lower platform-month",
    ),
    "a rule or router of the reader's own has to stand in the settings": (
        "modicum experiment start trial --rule route.mine --outcome resolved --margin 0.02",
        "modicum experiment start cheaper --rule cascade.json --outcome resolved --margin 0.02",
    ),
    "it needs a file of the reader's own, of a kind that the sample lacks": (
        "modicum audit ~/.claude/projects --outcomes resolved.csv --html audit.html",
        "modicum check main.jsonl pr.jsonl --base origin/main",
        "modicum compare runs.csv --by saver --baseline none",
        "modicum compare opus.eval sonnet.eval",
        "modicum compare runs-2.1.183.csv.gz --by competitor --baseline control",
        "modicum compare airline__claude-sonnet-4-5.json.gz airline__adaptive-opus46.json.gz",
        "modicum policy show",
        "modicum policy test draft.toml --since 30d",
        "modicum prices diff list new-agreement.toml",
        "modicum reconcile usage.json costs.json",
        "modicum reconcile reports/ --by key --key key_abc=ci --csv",
        "modicum route eval outcomes.csv",
        "modicum route eval outcomes.csv --by-family --by-model-family",
        "modicum route train outcomes.csv --loss 0.5 --out router.npz",
        "modicum route decide router.npz --prompt prompt.txt",
        "modicum outcome from-pull-requests ~/src/shop pulls.json --sessions ~/.claude/projects",
        "modicum yield --outcome pull_requests_kept",
    ),
    "it needs calls or outcomes of a kind that the sample lacks": (
        "modicum compare gpt-5 gpt-5-mini --outcome resolved --pair tag:case",
        "modicum route train --logs ~/.claude/projects --outcome resolved --loss 1",
        "modicum outcome from-git ~/src/shop",
        "modicum yield --outcome commits --by model",
    ),
    "it needs a team's recording, or runs a team": (
        (
            "modicum team fit --runner myteam:team --tasks tasks.jsonl --learner agentdropout --budget-tokens 2000000 "
            "--out plan.json"
        ),
        "modicum team fit --runner myteam:team --tasks tasks.jsonl --learner agentdropout-released --out plan.json",
        "modicum team attribute runs.jsonl",
        "modicum team attribute --ledger team.duckdb",
        "modicum team propose runs.jsonl --max-loss 0.03",
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
    "an agent hands over JSON on stdin": (
        "modicum cache status --stdin",
        "modicum cache status --stdin --warn-over 0.50",
    ),
    "a restore overwrites nothing: it is for another machine, or after a loss": (
        "modicum backup restore monday.modicum-backup",
    ),
}
NOT_RUN = {command: reason for reason, commands in REASONS.items() for command in commands}
"""Commands that cannot be run here, with why."""


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
                sys.stdout.write("." if ended.returncode == 0 else "F")
                sys.stdout.flush()
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
    for name in ("logs", "traces", "sessions"):
        (work / name).symlink_to(home / ".claude" / "projects")
    for command in (
        "modicum import src/modicum/sample/logs",
        "modicum outcome import src/modicum/sample/outcomes.csv",
        "modicum key create first",
    ):
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
    sys.stdout.write("\n" + "".join(f"{fault}\n" for fault in faults))
    sys.stdout.write(f"{number} commands run, {len(faults)} failed, {len(NOT_RUN)} not run (tests/docs_commands.py)\n")
    sys.exit(bool(faults))
