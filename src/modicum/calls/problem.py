"""Bad data, with its place. Collected and shown at the end; never raised, never dropped in silence."""

from collections.abc import Sequence

import msgspec


class Problem(msgspec.Struct, frozen=True, gc=False):
    path: str
    reason: str
    """What is wrong, without any text of the data itself: a log line may hold a prompt or a key."""
    line: int | None = None
    """Line in the file, from 1; None where the file as a whole is meant."""

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.reason}"


def problem_rows(problems: Sequence[Problem]) -> list[dict[str, str | int | None]]:
    """As `--json` of every verb lists them."""
    return [{"path": problem.path, "line": problem.line, "reason": problem.reason} for problem in problems]
