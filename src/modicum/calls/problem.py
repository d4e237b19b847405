"""Bad data, with its place. Collected and shown at the end; never raised, never dropped in silence."""

from collections.abc import Sequence

import msgspec

from modicum.calls.outside.storable import storable


class Problem(msgspec.Struct, frozen=True, gc=False):
    path: str
    reason: str
    """What is wrong, without any text of the data itself: a log line may hold a prompt or a key."""
    line: int | None = None
    """Line in the file, from 1; None where the file as a whole is meant."""
    is_of_cost: bool = False
    """Of calls that were counted, whose cost is not exact: shown before what was not counted."""

    def __post_init__(self) -> None:
        """Paths are bytes, and need not be UTF-8."""
        if not (self.path.isascii() and self.reason.isascii()):
            msgspec.structs.force_setattr(self, "path", storable(self.path))
            msgspec.structs.force_setattr(self, "reason", storable(self.reason))

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.reason}"


def problem_rows(problems: Sequence[Problem]) -> list[dict[str, str | int | None]]:
    """Problems as `--json` of every verb lists them: those of calls that were counted come first."""
    ordered = sorted(problems, key=lambda problem: not problem.is_of_cost)
    return [{"path": problem.path, "line": problem.line, "reason": problem.reason} for problem in ordered]
