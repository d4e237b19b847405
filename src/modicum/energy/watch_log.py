"""The raw log of a watch: one JSON object a line, counters as they were read. A replay gives the same figures.

The first line is the header, every other line a sample. Nothing computed is in it.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from modicum.calls.errors import UserError
from modicum.calls.outside.regular_file import read_named
from modicum.calls.problem import Problem
from modicum.energy.samples import GpuFacts, Sample

FORMAT = "modicum-energy-log-1"


class LogHeader(msgspec.Struct, frozen=True):
    format: str
    gpus: tuple[GpuFacts, ...]
    servers: tuple[str, ...]
    interval_s: float
    made_with: str = ""
    """Version that wrote it."""


class LogWriter:
    """Appends samples to an open file; each line is flushed, so that a broken run keeps what it saw."""

    def __init__(self, file: IO[bytes], header: LogHeader) -> None:
        self._file = file
        self._line(header)

    def write(self, sample: Sample) -> None:
        self._line(sample)

    def _line(self, record: object) -> None:
        self._file.write(msgspec.json.encode(record) + b"\n")
        self._file.flush()


class Recording(msgspec.Struct, frozen=True):
    header: LogHeader
    samples: tuple[Sample, ...]
    problems: tuple[Problem, ...]

    @property
    def gpus(self) -> tuple[str, ...]:
        return tuple(fact.gpu for fact in self.header.gpus)


def read_log(path: Path) -> Recording:
    """A whole log. Lines that cannot be read are problems; a log cut in its last line is still a log.

    Raises:
        UserError: the file is not there or is no such log.
    """
    lines = read_named(path).splitlines()
    try:
        header = msgspec.json.decode(lines[0] if lines else b"", type=LogHeader)
    except (msgspec.DecodeError, RecursionError):
        header = None
    if header is None or header.format != FORMAT:
        raise UserError(f"{path}: not a log of 'modicum energy watch' (its first line is not a {FORMAT} header)")
    problems: list[Problem] = []
    samples = tuple(_samples(path, lines[1:], problems))
    return Recording(header, samples, tuple(problems))


def _samples(path: Path, lines: Iterable[bytes], problems: list[Problem]) -> Iterator[Sample]:
    decoder = msgspec.json.Decoder(Sample)
    for number, line in enumerate(lines, 2):
        if not line.strip():
            continue
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            problems.append(Problem(str(path), f"not a sample ({error})", number))
