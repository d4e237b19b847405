"""Mutated streams, replies and logs of real shapes through every decoder and reader: what raises, hangs, takes room."""

import argparse
import json
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from measured import machine, report
from modicum.importers import FORMATS, read_calls
from modicum.importers.format import Reading
from modicum.providers.dialects import DIALECTS
from modicum.providers.facts import DialectError
from modicum.providers.translation.translations import TRANSLATIONS

TESTS = Path(__file__).parents[1] / "tests"
MOST_S = 10
"""After which a case hangs: the slowest takes a small part of it."""
MOST_SHOWN = 20
MOST_REPEATED = 20_000
"""Bytes of a line that is repeated often: memory should be a reader's doing, not the mutation's."""
ODD = (b"null", b"-1", b"1e400", b"99999999999999999999", b'"x"', b"[]", b"{}", b"true", b'"\\ud83d"', b"[" * 2000)
ODD += (b"\x00" * 64, b"\xef\xbb\xbf", b"\xff\xfe", b"data:", b"\n\n", b"\r", b"}{", b"x" * 100_000)


class Case(NamedTuple):
    name: str
    body: bytes
    run: Callable[[bytes], None]


class HangError(Exception):
    """A case took longer than it may."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    report(measure(options.minutes * 60, options.seed), as_json=options.json)


def measure(seconds: float, seed: int) -> dict[str, object]:
    counts = {"runs": 0, "raised": 0, "hung": 0}
    shown: list[str] = []
    with tempfile.TemporaryDirectory(prefix="modicum-bench-") as folder:
        found = cases(Path(folder))
        for case in found:
            case.run(case.body)  # what is only loaded once is no case's memory
        until = time.monotonic() + seconds
        before_mb, made = peak_mb(), random.Random(seed)
        largest: dict[str, float] = {}
        while time.monotonic() < until:
            case = made.choice(found)
            number = made.randrange(1 << 32)
            counts["runs"] += 1
            peak = peak_mb()
            if fault := fault_of(case, mutated(case.body, number)):
                counts["hung" if fault == "hung" else "raised"] += 1
                shown += [f"{case.name} {number}: {fault}"] if len(shown) < MOST_SHOWN else []
            if (grown := peak_mb() - peak) >= 1:
                largest[f"{case.name} {number}"] = round(grown)
    figures = {f"fuzz.{name}": count for name, count in counts.items()}
    memory: dict[str, object] = {"fuzz.peak_mb": round(peak_mb()), "fuzz.peak_mb_unmutated": round(before_mb)}
    memory["fuzz.peak_grew_mb"] = dict(sorted(largest.items(), key=lambda one: -one[1])[:5])
    return {**figures, **memory, "fuzz.seed": seed, "fuzz.faults": shown, "machine": machine()}


def peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def cases(folder: Path) -> list[Case]:
    """Every fixture with every decoder that may meet it."""
    return [*_dialect_cases(), *_log_cases(folder)]


def _dialect_cases() -> Iterator[Case]:
    for path in sorted((TESTS / "providers/fixtures").rglob("*")):
        dialect = DIALECTS.get(path.parent.name)
        if dialect is None or path.name.endswith(".facts.json"):
            continue
        name, body = f"{dialect.name}/{path.name}", path.read_bytes()
        if path.suffix == ".json":
            yield Case(name, body, dialect.reply)
            continue
        yield Case(name, body, lambda data, dialect=dialect: _streamed(dialect.tail(usage_asked=True), data))
        yield Case(
            f"{name} unasked", body, lambda data, dialect=dialect: _streamed(dialect.tail(usage_asked=False), data)
        )
        for (caller, upstream), translation in TRANSLATIONS.items():
            if upstream == dialect.name:
                run = lambda data, one=translation: _translated(one.stream(usage_asked=True, created=1), data)  # noqa: E731 - see above
                yield Case(f"{name} for {caller}", body, run)


def _streamed(tail: Any, body: bytes) -> None:
    _feed(tail, body)
    tail.facts()


def _translated(stream: Any, body: bytes) -> None:
    try:
        _feed(stream, body)
    except DialectError:
        return


def _feed(watcher: Any, body: bytes) -> None:
    """In chunks of a size that depends on the body alone."""
    size = len(body) % 977 + 1
    for at in range(0, len(body), size):
        watcher.feed(body[at : at + size])
    watcher.end()


def _log_cases(folder: Path) -> Iterator[Case]:
    for name in FORMATS:
        for path in sorted((TESTS / "importers/fixtures" / name).glob("*")):
            if path.is_file() and path.suffix in {".json", ".jsonl", ".csv"} and ".calls" not in path.name:
                written = folder / path.name
                run = lambda data, at=written, source=name: _read(at, data, source)  # noqa: E731 - see above
                yield Case(f"{name}/{path.name}", path.read_bytes(), run)


def _read(path: Path, data: bytes, source: str) -> None:
    path.write_bytes(data)
    for _ in read_calls([path], Reading(anatomy=True), source=source, processes=1):
        pass


def fault_of(case: Case, body: bytes) -> str:
    """What goes wrong with a body: `hung`, or what was raised and where. Empty: nothing."""
    signal.signal(signal.SIGALRM, _hang)
    signal.alarm(MOST_S)
    try:
        case.run(body)
    except HangError:
        return "hung"
    except Exception as error:  # noqa: BLE001 - any is a fault
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place is not None else ""
        return f"{type(error).__name__} {where}"
    finally:
        signal.alarm(0)
    return ""


def _hang(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signals want it
    raise HangError


def mutated(body: bytes, seed: int) -> bytes:
    """The body with one to four things wrong: bytes, values of its JSON, line ends, or its framing."""
    made = random.Random(seed)
    for _ in range(made.randint(1, 4)):
        body = made.choice((_cut, _doubled, _odd_bytes, _odd_value, _other_line_ends, _indented, _repeated_line))(
            body, made
        )
    return body


def _span(body: bytes, made: random.Random, most: int) -> tuple[int, int]:
    start = made.randrange(len(body) + 1)
    return start, min(start + made.randint(0, most), len(body))


def _cut(body: bytes, made: random.Random) -> bytes:
    start, end = _span(body, made, 200)
    return body[:start] + body[end:]


def _doubled(body: bytes, made: random.Random) -> bytes:
    start, end = _span(body, made, 2000)
    return body[:end] + body[start:end] + body[end:]


def _odd_bytes(body: bytes, made: random.Random) -> bytes:
    start, end = _span(body, made, 8)
    return body[:start] + made.choice(ODD) + body[end:]


def _other_line_ends(body: bytes, made: random.Random) -> bytes:
    return body.replace(b"\n", made.choice((b"\r\n", b"\r", b"\n\n", b"")))


def _repeated_line(body: bytes, made: random.Random) -> bytes:
    lines = body.splitlines(keepends=True) or [b""]
    at = made.randrange(len(lines))
    times = made.choice((2, 50)) if len(lines[at]) < MOST_REPEATED else 2
    return b"".join([*lines[:at], lines[at] * times, *lines[at + 1 :]])


def _documents(body: bytes, change: Callable[[Any], Any], indent: int | None = None) -> bytes:
    """The body with its documents changed: it is one, or holds one a line, alone or behind `data:`."""
    try:
        return json.dumps(change(json.loads(body)), indent=indent).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        pass
    lines = []
    for line in body.split(b"\n"):
        mark = b"data: " if line.startswith(b"data:") else b""
        try:
            document = json.dumps(change(json.loads(line[5:] if mark else line)), indent=indent if mark else None)
        except (ValueError, RecursionError):
            lines.append(line)
        else:
            lines += [mark + part for part in document.encode("utf-8", "replace").split(b"\n")]
    return b"\n".join(lines)


def _indented(body: bytes, made: random.Random) -> bytes:
    return _documents(body, lambda document: document, made.choice((1, 2)))


def _odd_value(body: bytes, made: random.Random) -> bytes:
    """A value somewhere in some documents is another one, or has another type."""
    odd = (None, -1, 0, 1.5, 10**30, "", "x", [], {}, True, [None], {"a": {}}, 1e300, "2026-13-45T99:99:99Z")

    def change(value: Any) -> Any:
        if made.random() < 0.02:
            return made.choice(odd)
        if isinstance(value, dict):
            return {name: change(inner) for name, inner in value.items() if made.random() > 0.005}
        return [change(inner) for inner in value] if isinstance(value, list) else value

    return _documents(body, change)


if __name__ == "__main__":
    main()
