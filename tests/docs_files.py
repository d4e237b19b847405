"""What a reader of the docs has at hand, made up: files, newer logs and a repository, by the names that pages print."""

import csv
import io
import itertools
import json
import random
import re
import subprocess
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "src" / "modicum" / "sample"
STAMP = re.compile(r"2026-03-(\d\d)(?=T\d\d:\d\d)")
LAST_DAY = date(2026, 3, 13)
"""Of the sample's sessions of Claude Code."""
SESSION, MESSAGE = "6113e919", "msg_01QEj13D"
"""A session and a message of which a page asks for more."""


def write_files(work):
    """Every file that a page names, in the folder where its commands are typed."""
    draw = random.Random(0)  # noqa: S311 - made-up figures want a seed, not secrecy
    for name, content in FILES.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        made = content(draw) if callable(content) else content
        if isinstance(made, bytes):
            path.write_bytes(made)
        else:
            path.write_text(made, encoding="utf-8")


def write_logs(projects):
    """The sample's sessions anew, as of November 2026, of last month and of yesterday."""
    today = datetime.now(UTC).date()
    last_month = today.replace(day=1) - timedelta(days=1)
    for name, last in (("november", date(2026, 11, 16)), ("month", last_month), ("new", today - timedelta(days=1))):
        folder = projects / name
        folder.mkdir()
        later = last - LAST_DAY
        for path in sorted((SAMPLE / "logs").glob("03*.jsonl")):
            text = STAMP.sub(lambda found, later=later: str(date(2026, 3, int(found[1])) + later), path.read_text())
            text = re.sub(r'"(msg|row|req|toolu)_', rf'"\1_{name}_', text).replace(
                f'"sessionId":"{path.stem}"', f'"sessionId":"{name}-{path.stem}"'
            )
            if name == "new" and path.stem == "0302-label":
                text = text.replace(f"{name}-{path.stem}", f"{SESSION}-0000").replace(
                    f"msg_{name}_{path.stem.replace('-', '')}0003", MESSAGE
                )
            (folder / path.name).write_text(text, encoding="utf-8")


def write_repository(folder):
    """A repository of one commit, which `origin/main` is, too."""
    ann = ["-c", "user.name=ann", "-c", "user.email=ann@example.com"]
    for words in (
        ["init", "-q", "-b", "main"],
        [*ann, "commit", "-q", "--allow-empty", "-m", "begun"],
        ["update-ref", "refs/remotes/origin/main", "HEAD"],
    ):
        subprocess.run(["git", "-C", folder, *words], check=True)


def table(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def runs_of(arms):
    """Runs of thirty tasks under these arms of a column."""
    ((column, names),) = arms.items()

    def rows(draw):
        return table(
            [
                {
                    column: arm,
                    "task": f"t{task}",
                    "success": int(draw.random() < 0.7),
                    "cost_usd": round(draw.uniform(0.1, 1), 3),
                    "prompt_tokens": draw.randint(5_000, 9_000),
                    "completion_tokens": draw.randint(200, 900),
                }
                for task, arm in itertools.product(range(30), names)
            ]
        )

    return rows


def checked(draw):
    """What `compare run --out` writes, as `check` reads it."""
    return lines(
        [
            {
                "task": f"t{task}",
                "model": "gpt-4o-mini",
                "success": draw.random() < 0.8,
                "prompt_tokens": draw.randint(900, 1100),
                "completion_tokens": draw.randint(90, 110),
                "cost_usd": 0.01,
            }
            for task in range(40)
        ]
    )


def routed(draw):
    """Outcomes of two small models and two large ones on prompts of six families."""
    rows = []
    for task in range(240):
        family = ("sums", "dates", "names", "proofs", "plans", "poems")[task % 6]
        share = 0.95 if task % 6 < 3 else 0.2
        for model, is_right, cost in (
            ("gpt-5-mini", share, 0.0001),
            ("gpt-5", 0.9, 0.004),
            ("claude-haiku-4-5", share, 0.0002),
            ("claude-opus-4-5", 0.92, 0.005),
        ):
            rows.append(
                {
                    "task": f"t{task}",
                    "model": model,
                    "prompt": f"Of {family}: question {task} about {draw.choice(('groups', 'rings', 'fields'))}",
                    "family": family,
                    "success": int(draw.random() < is_right),
                    "cost_usd": cost,
                }
            )
    return table(rows)


def inspected(draw):
    """A log of Inspect, packed as `.eval`."""
    usage = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120, "total_cost": 0.5}
    samples = [
        {
            "id": number,
            "epoch": 1,
            "scores": {"match": {"value": draw.choice("CCI"), "answer": "x"}},
            "model_usage": {"m": usage},
            "total_time": 2.5,
        }
        for number in range(20)
    ]
    header = {"version": 2, "status": "success", "eval": {"task": "arith", "model": "openai/gpt-5", "solver": "react"}}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("header.json", json.dumps(header))
        for one in samples:
            archive.writestr(f"samples/{one['id']}_epoch_1.json", json.dumps(one))
    return packed.getvalue()


def simulated(draw):
    """Results of tau2-bench."""
    runs = [
        {
            "id": f"s{task}",
            "task_id": str(task),
            "trial": 0,
            "reward_info": {"reward": float(draw.random() < 0.6)},
            "agent_cost": 0.5,
            "duration": 12.5,
            "messages": [
                {"role": "assistant", "usage": {"prompt_tokens": draw.randint(90, 110), "completion_tokens": 10}}
            ],
        }
        for task in range(30)
    ]
    info = {
        "agent_info": {"implementation": "llm_agent", "llm": "gpt-4.1"},
        "environment_info": {"domain_name": "airline"},
    }
    return json.dumps({"info": info, "tasks": [], "simulations": runs})


def team_runs(draw):
    """Runs of a team of three, of whom one adds nothing."""
    rows = []
    for run in range(40):
        gold = draw.choice("AB")
        for step, (agent, right) in enumerate((("solver", 0.7), ("critic", 0.8), ("echo", 0.5))):
            rows.append(
                {
                    "run": str(run),
                    "team": "support",
                    "agent": agent,
                    "round": 1,
                    "step": step,
                    "prompt_tokens": 800,
                    "completion_tokens": 90,
                    "answer": gold if draw.random() < right else "C",
                    "reads": [],
                }
            )
        said = draw.choice([gold, gold, gold, "C"])
        rows.append({"run": str(run), "team": "support", "answer": said, "gold": gold, "outcome": int(said == gold)})
    return lines(rows)


def reported(kind):
    """A page of the organisation's usage or costs of the sample's first day."""
    day = {"starting_at": "2026-03-02T00:00:00Z", "ending_at": "2026-03-02T23:59:59Z"}
    counts = {
        "uncached_input_tokens": 1000,
        "output_tokens": 100,
        "cache_read_input_tokens": 0,
        "model": "claude-opus-4-5-20251101",
        "api_key_id": "key_abc",
    }
    results = {"usage": counts, "costs": {"amount": "100", "currency": "USD", "model": "claude-opus-4-5-20251101"}}
    return json.dumps({"data": [{**day, "results": [results[kind]]}]})


RECORDED = {
    "timestamp": "2026-11-20T12:00:00Z",
    "request": {"model": "gpt-4.1", "messages": [{"role": "user", "content": "hi"}]},
}
FILES = {
    "resolved.csv": (SAMPLE / "outcomes.csv").read_text(encoding="utf-8"),
    "runs.csv": runs_of({"saver": ("none", "rtk", "headroom")}),
    "runs-2.1.183.csv.gz": runs_of({"competitor": ("control", "rtk")}),
    "main.jsonl": checked,
    "pr.jsonl": checked,
    "opus.eval": inspected,
    "sonnet.eval": inspected,
    "airline__claude-sonnet-4-5.json.gz": simulated,
    "airline__adaptive-opus46.json.gz": simulated,
    "recorded.jsonl": lines([RECORDED]),
    "draft.toml": '[[clause]]\nname = "no previews"\nnot_models = ["*-preview*"]\n',
    "new-agreement.toml": '[[price]]\nmodel = "claude-opus-4-5*"\ndiscount = 0.12\n',
    "usage.json": reported("usage"),
    "costs.json": reported("costs"),
    "reports/usage.json": reported("usage"),
    "outcomes.csv": routed,
    "prompt.txt": "Prove lemma 7 of the theory of rings\n",
    "runs.jsonl": team_runs,
}
"""By name; what is drawn is drawn from one seed."""
