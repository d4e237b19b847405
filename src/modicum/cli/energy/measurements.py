"""Tells a bench's points from a watch's log, and reads them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from modicum.calls.errors import UserError
from modicum.calls.outside.regular_file import open_regular

if TYPE_CHECKING:
    from modicum.energy.bench import BenchResult
    from modicum.energy.watch_log import Recording


def read_recording(path: Path) -> "Recording | None":
    """The log of a watch, or None where the file is something else.

    Raises:
        UserError: it cannot be read.
    """
    from modicum.energy.watch_log import FORMAT, read_log

    try:
        with open_regular(path) as file:
            first = file.read(100_000).partition(b"\n")[0]
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    return read_log(path) if FORMAT.encode() in first else None


def read_points(paths: Sequence[Path]) -> "BenchResult":
    """The points of all files as one result.

    Raises:
        UserError: a file is no result of a bench, or they are of different models.
    """
    from modicum.energy.bench import read_result

    results = [read_result(path) for path in paths]
    models = sorted({result.model for result in results})
    if len(models) > 1:
        raise UserError(f"the files are of different models ({', '.join(models)}); give those of one")
    return msgspec.structs.replace(results[0], points=tuple(point for result in results for point in result.points))


def parse_expert_share(text: str | None) -> float | None:
    """`10/72` as a share.

    Raises:
        UserError: it is no such pair.
    """
    if text is None:
        return None
    chosen, _, total = text.partition("/")
    if not chosen.isdecimal() or not total.isdecimal() or not 0 < int(chosen) < int(total):
        raise UserError(f"--experts '{text}': write the experts that each token uses / all experts, e.g. 10/72")
    return int(chosen) / int(total)
