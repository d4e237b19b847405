"""Commit checkpoints of the Entire CLI -> outcomes of Claude Code sessions, as CSV for `modicum outcome import`.

    python benchmarks/checkpoints.py checkpoint_outcomes.jsonl.gz > outcomes.csv
    modicum outcome import outcomes.csv && modicum yield --outcome agent_lines --by model

A checkpoint is a commit; its rows are the sessions that had a part in it. Rules:

- **Task.** The task of a Claude Code call is the session id that its row carries. A checkpoint names the session, older
  ones with the day in front (`2026-01-06-3a782158-...`), which is cut off.
- **Once per commit.** `agent_lines` is counted against the commit, not against the session: nine sessions of one
  checkpoint may all say the same 3,101 lines. So a checkpoint counts the greatest of its rows once, and its sessions
  share that in proportion to what each row says. Rows repeated by one session are one.
- **Unknown is not 0.** A checkpoint without attribution (older versions did not compute it) says nothing of lines: no
  row. One whose attribution says 0 lines is a failure, with a value of 0.
"""

import csv
import gzip
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

COLUMNS = ("task", "name", "value", "time", "id", "source")
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}-(?=[0-9a-f]{8}-)")


def rows_of(path: Path) -> list[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def task_of(session_id: str) -> str:
    return _DAY.sub("", session_id)


def agent_lines(row: dict) -> int | None:
    return (row.get("initial_attribution") or {}).get("agent_lines")


def outcomes(rows: Iterable[dict]) -> Iterator[tuple[str, str, float, str, str, str]]:
    checkpoints = defaultdict(list)
    for row in rows:
        checkpoints[row["checkpoint_id"]].append(row)
    for checkpoint, together in sorted(checkpoints.items()):
        lines, times = {}, {}
        for row in together:
            task, said = task_of(row["session_id"]), agent_lines(row)
            times[task] = max(row["created_at"], times.get(task, ""))
            if said is not None:
                lines[task] = max(said, lines.get(task, 0))
        for task, said in sorted(lines.items()):
            value = max(lines.values()) * said / sum(lines.values()) if said else 0.0
            yield task, "agent_lines", value, times[task], f"{checkpoint}/{task}/agent_lines", "checkpoint"
        for task, at in sorted(times.items()):
            yield task, "commits", 1 / len(times), at, f"{checkpoint}/{task}/commits", "checkpoint"


def write(rows: Iterable[dict], out) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(outcomes(rows))


if __name__ == "__main__":
    write(rows_of(Path(sys.argv[1])), sys.stdout)
