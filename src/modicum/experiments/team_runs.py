"""Which runs of teams went under which plan, and what came of them: a small SQLite file beside the journal.

The workers of a gateway share it, and it outlives them. It holds names of runs and tasks, sums of outcomes, and for
some hours the digests of the answers that agents of a run gave, so that workers know alike when a team agrees.
"""

import sqlite3
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from modicum.calls import UserError
from modicum.calls.containment import undo_if_failed
from modicum.experiments.canary import CanaryWatch

PLAN, CANARY, NEITHER = "plan", "canary", ""
"""What a run went under. Neither: the full team, for another reason than being a canary; it proves nothing."""
KEPT_S = 90 * 86_400.0
ANSWERS_KEPT_S = 6 * 3600.0
"""As long as a worker remembers a run."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    team TEXT NOT NULL, run TEXT NOT NULL, task TEXT NOT NULL, plan TEXT NOT NULL, arm TEXT NOT NULL,
    began REAL NOT NULL, graded INTEGER NOT NULL DEFAULT 0, share REAL NOT NULL DEFAULT 0, PRIMARY KEY (team, run)
);
CREATE INDEX IF NOT EXISTS runs_of_task ON runs (task);
CREATE INDEX IF NOT EXISTS runs_by_name ON runs (run);
CREATE TABLE IF NOT EXISTS watches (
    team TEXT NOT NULL, plan TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (team, plan)
);
CREATE TABLE IF NOT EXISTS answers (
    number INTEGER PRIMARY KEY, scope TEXT NOT NULL, team TEXT NOT NULL, run TEXT NOT NULL, round INTEGER NOT NULL,
    agent TEXT NOT NULL, answer TEXT, at REAL NOT NULL, UNIQUE (scope, team, run, round, agent)
);
"""


class Grading(NamedTuple):
    """How a team's runs are graded."""

    outcome: str
    """The outcome that counts; empty: whichever comes first."""
    margin: float


class GivenAnswer(NamedTuple):
    """What an agent answered in a round of a run."""

    round: int
    agent: str
    answer: str | None
    """A digest; None: it abstained."""


class TeamOutcomes:
    """Written by one thread; `watch` may be asked by another meanwhile. Times are seconds since 1970.

    Raises:
        UserError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._base = _connect(path)
            with undo_if_failed(self._base.close):
                path.chmod(0o600)
                self._base.execute("PRAGMA journal_mode = WAL")
                self._base.executescript(_SCHEMA)
                if not any(row[1] == "share" for row in self._base.execute("PRAGMA table_info(runs)")):
                    # Made before shares were recorded: runs without one prove nothing any more.
                    self._base.execute("ALTER TABLE runs ADD COLUMN share REAL NOT NULL DEFAULT 0")
                self._base.execute("DELETE FROM runs WHERE began < ?", (time.time() - KEPT_S,))
                self._base.execute("DELETE FROM answers WHERE at < ?", (time.time() - ANSWERS_KEPT_S,))
                self._reading = _connect(path)
        except (OSError, sqlite3.Error) as error:
            raise UserError(f"the file of team outcomes {path} cannot be used: {error}") from None

    def record_run(self, team: str, run: str, task: str, plan: str, arm: str, share: float = 0.0) -> None:
        """A run's first call, or a run that no longer is what it was.

        A run that two workers put in different arms, because the share changed between, proves nothing: NEITHER.

        Args:
            team: its team.
            run: its name.
            task: what it is for.
            plan: digest of the plan.
            arm: PLAN, CANARY or NEITHER.
            share: the chance with which it was to be a canary.
        """
        self._base.execute(
            "INSERT INTO runs (team, run, task, plan, arm, began, share) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (team, run) DO UPDATE SET arm = '' WHERE excluded.arm <> arm OR excluded.share <> share",
            (team, run, task, plan, arm, time.time(), share),
        )

    def apply_outcome(self, task: str, name: str, value: float, grading: Mapping[str, Grading]) -> list[str]:
        """Takes an outcome in. It is of the run of that name or else of the one run of that task; each run is graded
        once.

        Returns:
            For each plan that is given up because of it, team and why.
        """
        given_up = []
        self._base.execute("BEGIN IMMEDIATE")
        with undo_if_failed(partial(self._base.execute, "ROLLBACK")):  # half a grading may not stay
            for team, run, plan, arm, share in self._runs(task):
                known = grading.get(team)
                if known is None or known.outcome not in {"", name} or not 0 <= value <= 1:
                    continue
                self._base.execute("UPDATE runs SET graded = 1 WHERE team = ? AND run = ?", (team, run))
                if arm == NEITHER or not 0 < share < 1:
                    continue
                watch = _watch(self._base, team, plan)
                watch.margin = known.margin
                before = watch.reverted
                watch.record(value, full_team=arm == CANARY, share=share)
                self._base.execute("REPLACE INTO watches VALUES (?, ?, ?)", (team, plan, watch.json()))
                if watch.reverted != before:
                    given_up.append(f"{team}: {watch.reverted}")
            self._base.execute("COMMIT")
        return given_up

    def watch(self, team: str, plan: str) -> CanaryWatch:
        """What the canaries said of a plan so far."""
        return _watch(self._reading, team, plan)

    def record_answer(self, scope: str, team: str, run: str, given: GivenAnswer) -> None:
        """For other workers: `scope` is who calls."""
        self._base.execute(
            "REPLACE INTO answers (scope, team, run, round, agent, answer, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (scope, team, run, *given, time.time()),
        )

    def answers(self, scope: str, team: str, run: str) -> list[GivenAnswer]:
        """Those of a run, from all workers, in the order in which they came."""
        rows = self._reading.execute(
            "SELECT round, agent, answer FROM answers WHERE scope = ? AND team = ? AND run = ? AND at > ?"
            " ORDER BY number",
            (scope, team, run, time.time() - ANSWERS_KEPT_S),
        )
        return [GivenAnswer(*row) for row in rows]

    def _runs(self, task: str) -> list[tuple[str, str, str, str, float]]:
        chosen = "SELECT team, run, plan, arm, share, graded FROM runs WHERE"
        rows = self._base.execute(f"{chosen} run = ?", (task,)).fetchall()
        if not rows:
            rows = self._base.execute(f"{chosen} task = ?", (task,)).fetchall()
            if len(rows) > 1:  # nobody knows which of them it was
                return []
        return [row[:5] for row in rows if not row[5]]

    def close(self) -> None:
        self._reading.close()
        self._base.close()


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)


def _watch(base: sqlite3.Connection, team: str, plan: str) -> CanaryWatch:
    row = base.execute("SELECT body FROM watches WHERE team = ? AND plan = ?", (team, plan)).fetchone()
    return CanaryWatch.from_json(row[0]) if row else CanaryWatch()
