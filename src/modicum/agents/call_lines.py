"""A recording as calls of modicum's own JSONL (`docs/formats/modicum.md`), so that it can go into the ledger.

A turn becomes one line; `modicum.agents.from_ledger` names the tags and reads them back.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from modicum.agents.recordings import RecordedRow

UNKNOWN_MODEL = "unknown"
"""The format needs a model's name; this one has no price, and is none when it is read back."""


def make_call_lines(turns: Iterable[tuple[datetime, RecordedRow]], results: Sequence[RecordedRow]) -> str:
    """The turns as calls, one a line.

    A prompt's count is booked as uncached with an estimated basis: a recording does not say what came from a cache.

    Args:
        turns: when each turn was told, and the row.
        results: rows without agent.
    """
    known = {row.run: row for row in results}
    lines = [_make_line(at, row, known.get(row.run)) for at, row in turns]
    return "".join(msgspec.json.encode(line).decode() + "\n" for line in lines)


def make_outcome_lines(results: Sequence[RecordedRow], at: datetime, name: str) -> str:
    """The outcomes of runs as `modicum outcome import` reads them: of the task or, if it has several runs, the run."""
    runs_of_task = Counter(row.task or row.run for row in results)
    lines = [
        {
            "id": f"{row.team}/{row.run}/{name}",
            "task": task if runs_of_task[task := row.task or row.run] == 1 else row.run,
            "name": name,
            "value": row.outcome,
            "time": at.isoformat(),
            "source": "team recording",
        }
        for row in results
        if row.outcome is not None
    ]
    return "".join(msgspec.json.encode(line).decode() + "\n" for line in lines)


def _make_line(at: datetime, row: RecordedRow, result: RecordedRow | None) -> dict[str, Any]:
    step = 0 if row.step is None else row.step
    tags = {
        "run": row.run,
        "round": str(row.round),
        "step": "" if row.step is None else str(row.step),
        "agent_team": row.team,
        "prompt_digest": row.prompt_digest,
        "answer": row.answer or "",
        "score": "" if row.score is None else repr(row.score),
        "reads": "" if row.reads is None else msgspec.json.encode(row.reads).decode(),
        "team_answer": (result.answer if result else "") or "",
        "gold": (result.gold if result else row.gold) or "",
        "group": row.group or (result.group if result else ""),
    }
    line: dict[str, Any] = {
        "modicum": 1,
        "call_id": f"team:{row.team}/{row.run}/{row.agent}/{row.round}/{step}",
        "model": row.model or UNKNOWN_MODEL,
        "started": at.isoformat(),
        "calls_count": row.calls_count,
        "task": row.task or (result.task if result else "") or row.run,
        "conversation": f"{row.run}/{row.agent}",
        "agent": row.agent,
        "tags": {name: value for name, value in tags.items() if value},
    }
    if row.prompt_tokens is not None or row.completion_tokens is not None:
        line["usage"] = {"input_uncached": row.prompt_tokens or 0, "output_visible": row.completion_tokens or 0}
        line["usage_basis"] = "unknown" if row.prompt_tokens is None else "estimated"
        line["output_basis"] = "unknown" if row.completion_tokens is None else "exact"
    return line
