"""Every verb that takes a file, and every format, gets what is no such file: one line says so, and the rest goes on."""

import dataclasses
import gzip
import json
import os
import re
import resource
import socket
import struct
import subprocess
import sys
import zlib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from modicum.calls import (
    Anatomy,
    AuditEvent,
    Call,
    Edit,
    Outcome,
    Owner,
    Problem,
    Segment,
    SegmentKind,
    Usage,
)
from modicum.importers import FORMATS, format_named, read_calls
from modicum.importers.format import Reading
from modicum.ledger.booking import book
from modicum.ledger.opening import open_store
from modicum.ledger.records import AUDIT_EVENTS, OUTCOMES
from modicum.metering.prices import PriceBook

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
BILL = {
    "since": datetime(1990, 1, 1, tzinfo=UTC),
    "until": datetime(2200, 1, 1, tzinfo=UTC),
    "by": "model",
    "tag": "",
    "zone": "UTC",
}

FIXTURES = Path(__file__).parent / "importers" / "fixtures"
GOOD = FIXTURES / "claude-code" / "session.jsonl"
DEEP = b"[" * 100_000
SURROGATE = b"\\ud83d"


def folder(path):
    path.mkdir()


def in_a_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(path.parent)  # the name of a socket may have 100 bytes
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


HOSTILE = {
    "folder": folder,
    "pipe": os.mkfifo,
    "socket": in_a_socket,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "link to itself": lambda path: path.symlink_to(path),
    "empty": lambda path: path.write_bytes(b""),
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 300),
    "NULs": lambda path: path.write_bytes(b"\0" * 70_000),
    "not UTF-8": lambda path: path.write_bytes(b'{"a": "\xff\xfe"}\n[\xff]\n'),
    "half a character": lambda path: path.write_bytes(b'{"a": "\xed\xa0\x80", "%b": "%b"}\n' % (SURROGATE, SURROGATE)),
    "deep array": lambda path: path.write_bytes(DEEP),
    "deep object": lambda path: path.write_bytes(b'{"a":' * 100_000),
    "deep line": lambda path: path.write_bytes(b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"\n{}\n"),
    "long number": lambda path: path.write_bytes(b'{"a": ' + b"9" * 10_000 + b"}\n[" + b"9" * 10_000 + b"]"),
    "not JSON": lambda path: path.write_bytes(b"{]\n}[\n\n'\"\n"),
    "cut gzip": lambda path: path.write_bytes(gzip.compress(os.urandom(90_000))[:40_000]),
    "no gzip": lambda path: path.write_bytes(b"\x1f\x8b nothing of the kind"),
    "wrong types": lambda path: path.write_bytes(b'[1, null, "a", [[]], {"a": {"b": []}}]\n'),
}

LOG_VERBS = {
    "bill": ("bill",),
    "bill --counting": ("bill", "--counting"),
    "audit": ("audit",),
    "anatomy": ("anatomy",),
    "import": ("import",),
    "exposure": ("exposure",),
    "calibrate": ("calibrate", "--dry-run"),
}
FILE_VERBS = {
    "count": ("count", "FILE"),
    "compare": ("compare", "FILE"),
    "fit": ("fit", "FILE"),
    "outcome import": ("outcome", "import", "FILE"),
    "outcome from-git": ("outcome", "from-git", "FILE"),
    "energy fit": ("energy", "fit", "FILE"),
    "energy whatif": ("energy", "whatif", "FILE"),
    "energy whatif cap": ("energy", "whatif", "FILE", "--power-cap", "300", "--at", "8"),
    "energy calls": ("energy", "calls", "FILE", "--calls", "FILE"),
    "energy watch": ("energy", "watch", "--replay", "FILE"),
    "tco bench": ("tco", "--rent", "2", "--bench", "FILE", "--prompt-per-output", "4", "--api-price", "1,2"),
    "tco watch": ("tco", "--rent", "2", "--tokens-per-second", "100", "--watch", "FILE", "--api-price", "1,2"),
    "plan memory": ("plan", "memory", "FILE"),
    "plan compare": ("plan", "compare", "FILE", "FILE"),
    "team attribute": ("team", "attribute", "FILE"),
    "team propose": ("team", "propose", "FILE"),
    "team show": ("team", "show", "FILE"),
    "team verify": ("team", "verify", "FILE"),
    "prices": ("bill", str(GOOD), "--prices", "FILE"),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("verb", LOG_VERBS)
def test_a_bad_file_among_logs_is_one_problem_and_the_rest_is_counted(modicum, tmp_path, verb, kind):
    logs = tmp_path / "logs"
    logs.mkdir()
    HOSTILE[kind](logs / "a.jsonl")
    (logs / "b.jsonl").write_bytes(GOOD.read_bytes())

    ran = modicum(*LOG_VERBS[verb], logs)

    assert ran.status in {0, 1, 2}
    assert "please report" not in ran.out + ran.err
    if verb == "bill":
        assert (ran.status, "a.jsonl" in ran.err or kind in {"folder", "deep line"}) == (0, True), ran.err
        assert modicum("bill", logs, "--json").json["calls"] == modicum("bill", GOOD, "--json").json["calls"]


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("verb", FILE_VERBS | LOG_VERBS)
def test_a_verb_says_in_few_lines_what_is_wrong_with_a_file(modicum, tmp_path, verb, kind):
    path = tmp_path / "given.jsonl"
    HOSTILE[kind](path)
    words = (
        [*LOG_VERBS[verb], path]
        if verb in LOG_VERBS
        else [path if word == "FILE" else word for word in FILE_VERBS[verb]]
    )

    ran = modicum(*words)

    assert ran.status in {0, 1, 2}
    assert "please report" not in ran.out + ran.err
    assert path.name in ran.err or "/dev/zero" in ran.err or ran.status == 0, ran.err
    assert ran.err.strip() or ran.out.strip()
    assert len(ran.err.splitlines()) < 20


@pytest.mark.parametrize("kind", HOSTILE)
def test_settings_that_are_no_settings_are_one_line(modicum, tmp_path, monkeypatch, kind):
    path = tmp_path / "modicum.toml"
    HOSTILE[kind](path)
    monkeypatch.setenv("MODICUM_CONFIG", str(path))

    ran = modicum("bill", GOOD)

    assert ran.status in {0, 2}
    assert ran.status == 0 or ran.err.startswith(f"modicum: {path}")


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_reader_that_is_forced_on_a_bad_file_tells_problems_only(tmp_path, kind, source):
    path = tmp_path / "given.json"
    HOSTILE[kind](path)

    for anatomy in (False, True):
        found = list(read_calls([path], Reading(anatomy=anatomy), source=source))

        assert not [one for one in found if isinstance(one, Call)]
        assert "please report" not in " ".join(str(one) for one in found)


# Halves of characters, anywhere a text can stand.


def halved(document, keys):
    """JSON with half a character in its texts; with `keys`, in the names of its inner objects instead."""

    def spoiled(value, depth=0):
        if isinstance(value, dict):
            named = {
                f"{name}\ud83d" if keys and depth > 2 else name: spoiled(inner, depth + 1)
                for name, inner in value.items()
            }
            return {**named, "x\udc00": "\ud800"} if keys else named
        if isinstance(value, list):
            return [spoiled(inner, depth + 1) for inner in value]
        if isinstance(value, str) and not keys and value[:1].isalpha() and depth > 0:
            if value[:1] in "{[":
                return value
            return f"{value}\ud83d"
        return value

    return json.dumps(spoiled(document))


JSON_CASES = sorted(case for case in FIXTURES.glob("*/*.jsonl")) + sorted(
    case for case in FIXTURES.glob("*/*.json") if not case.name.endswith(".calls.json")
)


def documents(case):
    text = case.read_text()
    try:
        return [json.loads(text)]
    except ValueError:
        found = []
        for line in text.splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found


@pytest.mark.parametrize("keys", [False, True], ids=["texts", "names"])
def test_half_a_character_in_any_text_or_name_of_any_format_can_be_kept(tmp_path, keys, store):
    prices, asked = PriceBook(), 0
    for case in JSON_CASES:
        path = tmp_path / case.parent.name / case.name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(halved(document, keys) for document in documents(case)))
        assert "\\ud" in path.read_text()
        found = list(read_calls([path], Reading(anatomy=True), source=case.parent.name))
        assert "please report" not in " ".join(str(one) for one in found), case
        calls = [one for one in found if isinstance(one, Call)]
        asked += len(calls)
        msgspec.json.encode(found)
        store.append([book(call, prices) for call in calls])
    kept = store.ask("bill", **BILL)

    assert asked > 30
    assert kept


def test_the_ledger_keeps_a_call_outcome_and_event_whose_names_hold_half_a_character(store):
    half = "a\ud83d"
    call = Call(
        call_id=half, source=half, provider=half, model=half, started=NOON, finish_reason=half, usage=Usage(1),
        task=half, conversation=half, agent=half, project=half, branch=half, owner=Owner(half, half, half, half),
        tags={half: half}, place=half, anatomy=Anatomy(0, 0, (Segment(SegmentKind.TOOL_CALL, 1, b"d", half),), half),
        edits=(Edit(half, 1, 1, half),),
    )  # fmt: skip
    store.append([book(call, PriceBook())])
    store.append_records(OUTCOMES, [Outcome(outcome_id=half, task=half, name=half, value=1, time=NOON, source=half)])
    store.append_records(
        AUDIT_EVENTS,
        [AuditEvent(event_id=half, at=NOON, by=half, kind=half, what=half, subject=half, details={half: half})],
    )
    (kept,) = [entry for batch in store.entries() for entry in batch]
    outcomes, events = store.records(OUTCOMES), store.records(AUDIT_EVENTS)

    assert (kept.call.model, kept.call.tags, kept.call.owner.user) == ("a?", {"a?": "a?"}, "a?")
    assert kept.call.anatomy.added[0].tool == "a?"
    assert (outcomes[0].task, events[0].details) == ("a?", {"a?": "a?"})


@pytest.mark.parametrize("verb", LOG_VERBS)
def test_a_file_whose_name_is_no_utf8_is_read_and_named(modicum, tmp_path, verb):
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe")
    Path(odd).mkdir()
    Path(odd, os.fsdecode(b"\xe9.jsonl")).write_bytes(GOOD.read_bytes().replace(b'"sessionId"', b'"session"'))
    Path(odd, os.fsdecode(b"\xe8.jsonl")).write_bytes(b"no log\n")

    ran = modicum(*LOG_VERBS[verb], odd)

    assert ran.status in {0, 1, 2}
    assert "please report" not in ran.out + ran.err
    ran.err.encode()


def test_a_task_named_with_bytes_that_are_no_utf8_can_be_told(modicum, tmp_path):
    ledger = tmp_path / "l.duckdb"

    assert modicum("outcome", "record", os.fsdecode(b"T\xff"), "done", "1", "--ledger", ledger).status == 0
    assert modicum("outcome", "list", "--ledger", ledger).status == 0


# What costs more than its size.


def bomb(kind):
    """A file of less than 1 MB that unpacks to 300 MB."""
    opening, filling = BOMBS[kind]
    piece = filling * (1024 * 1024 // len(filling))
    checksum = zlib.crc32(opening)
    for _ in range(300):
        checksum = zlib.crc32(piece, checksum)
    length = len(opening) + 300 * len(piece)
    # Each is packed by itself, so that the same MB is not packed 300 times.
    packed = packed_part(opening) + 300 * packed_part(piece) + zlib.compressobj(wbits=-15).flush()
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + packed + struct.pack("<II", checksum, length)


def packed_part(data):
    made = zlib.compressobj(9, wbits=-15)
    return made.compress(data) + made.flush(zlib.Z_FULL_FLUSH)


RECORD = (
    (FIXTURES / "helicone" / "requests.jsonl")
    .read_bytes()
    .splitlines()[0]
    .replace(b"5f000000-0000-4000-8000-000000000001", b"r1")
)
BOMBS = {
    "document": (b'{"sessionId": "s",\n "messages": [', b"[],"),
    "array": (b"[" + RECORD + b",\n", b"{},"),
    "one item": (b"[" + RECORD + b',{"a": [', b"[],"),
    "lines": (RECORD + b"\n", b"{}\n"),
    "one line": (RECORD + b'\n{"a": [', b"[],"),
    "zeros": (RECORD + b"\n", b"\0"),
}
MOST_MEMORY = 1024 * 1024 * 1024


@pytest.mark.parametrize("kind", BOMBS)
def test_a_small_gzip_file_does_not_become_a_large_one(tmp_path, kind):
    packed = bomb(kind)
    assert len(packed) < 2 * 1024 * 1024
    (tmp_path / "a.json.gz").write_bytes(packed)
    (tmp_path / "b.jsonl").write_bytes(GOOD.read_bytes())

    ran = in_bounds(tmp_path, "bill", tmp_path, "--json")

    document = json.loads(ran.stdout)
    assert any("a.json.gz" in problem["path"] for problem in document["problems"])
    assert document["calls"] >= 3
    assert len(document["problems"]) < 1_100


def in_bounds(folder, *words, status=0):
    """Runs the command in a process that may hold no more than a gigabyte."""
    ran = subprocess.run(
        [sys.executable, "-m", "modicum", *map(str, words)],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        cwd=folder,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY)),
        capture_output=True,
        check=False,
    )
    assert ran.returncode == status, ran.stderr
    return ran


@pytest.mark.parametrize("shape", ["one line", "item"])
def test_a_plain_file_of_empty_lists_is_left_out_and_not_built(tmp_path, shape):
    lists = b"[]," * 6_000_000 + b"[]"
    made = {
        "one line": RECORD + b'\n{"a": [' + lists + b"]}\n" + RECORD.replace(b"r1", b"r2"),
        "item": b"[" + RECORD + b',{"a": [' + lists + b"]}]",
    }
    path = tmp_path / "a.json"
    path.write_bytes(made[shape])

    document = json.loads(in_bounds(tmp_path, "bill", path, "--source", "helicone", "--json").stdout)

    assert document["calls"] == {"one line": 2, "item": 1}[shape]
    assert ["more than 4,000,000 values" in problem["reason"] for problem in document["problems"]] == [True]


def test_a_document_of_empty_lists_is_no_log(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'{"request_id":\n "r1", "a": [' + b"[]," * 6_000_000 + b"[]]}")

    ran = in_bounds(tmp_path, "bill", path, "--source", "helicone", "--json", status=2)

    assert b"more than 4,000,000 values" in ran.stderr
    assert not ran.stdout


def test_a_large_export_in_one_array_is_read_item_by_item(tmp_path):
    """80 MB of items: as a whole they would take several times the bound."""
    path = tmp_path / "a.json"
    text = json.dumps({"role": "user", "content": [{"type": "text", "text": "x"}] * 2_000})
    with path.open("w") as file:
        file.write("[")
        for number in range(1_200):
            record = json.loads(RECORD) | {"request_id": f"r{number}"}
            file.write(("," if number else "") + json.dumps(record)[:-1] + f', "request_body": {text}}}')
        file.write("]")
    assert path.stat().st_size > 70_000_000

    document = json.loads(in_bounds(tmp_path, "bill", path, "--json").stdout)

    assert (document["calls"], document["problems"]) == (1_200, [])


def test_thousands_of_bad_lines_are_counted_and_not_kept(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(RECORD + b"\n" + b"{]\n" * 30_000 + RECORD.replace(b"r1", b"r2") + b"\n")

    found = list(read_calls([path], Reading(), source="helicone"))

    problems = [one for one in found if isinstance(one, Problem)]
    assert len(problems) == 1_001
    assert problems[-1].reason == "29,000 more problems in this file"
    assert len(found) - len(problems) == 2, "what stands behind them is read"


def test_a_fault_in_a_reader_ends_no_more_than_its_file(tmp_path, monkeypatch):
    def broken(path, reading):
        raise ZeroDivisionError

    broken_format = dataclasses.replace(format_named("helicone"), read=broken)
    monkeypatch.setattr("modicum.importers.exports.helicone.FORMAT", broken_format)
    format_named.cache_clear()
    (tmp_path / "a.jsonl").write_bytes(RECORD + b"\n")
    (tmp_path / "b.jsonl").write_bytes(GOOD.read_bytes())
    try:
        found = list(read_calls([tmp_path], Reading()))
    finally:
        format_named.cache_clear()

    assert "ZeroDivisionError in the reader; please report it" in str(found[0])
    assert len([one for one in found if isinstance(one, Call)]) == 3


# Times at the ends of the calendar.

TIMES = ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z"]
NO_TIMES = ["infinity", "-1", "1e30", "-Infinity", "NaN", "", "99999-01-01", "2026-13-45T99:99:99Z"]


@pytest.mark.parametrize("time", TIMES + NO_TIMES)
def test_an_outcome_at_an_end_of_the_calendar_is_a_problem_of_its_line(modicum, tmp_path, time):
    path, ledger = tmp_path / "o.jsonl", tmp_path / "l.duckdb"
    good = {"task": "T1", "name": "done", "value": 1, "time": "2026-02-03T10:00:00Z"}
    path.write_text("\n".join(json.dumps(row) for row in (good | {"time": time}, good)))

    ran = modicum("outcome", "import", path, "--ledger", ledger, "--json")

    assert ran.json["outcomes"] == 1
    assert [problem["line"] for problem in ran.json["problems"]] == [1]


@pytest.mark.parametrize("time", [*TIMES, *NO_TIMES, "9999w"])
def test_a_time_that_no_calendar_has_is_one_line(modicum, tmp_path, time):
    ledger = tmp_path / "l.duckdb"

    ran = modicum("outcome", "record", "T1", "done", "1", "--time", time, "--ledger", ledger)

    assert (ran.status, len(ran.err.splitlines())) == (2, 1)
    assert "time" in ran.err


@pytest.fixture(scope="module")
def good_ledger(tmp_path_factory):
    """A ledger that holds a session, and that no test changes."""
    place = tmp_path_factory.mktemp("good") / "l.duckdb"
    store, prices = open_store(str(place)), PriceBook()
    found = read_calls([GOOD], Reading(anatomy=True), source="claude-code")
    assert store.append([book(one, prices) for one in found if isinstance(one, Call)]).new > 0
    store.close()
    return place


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("verb", ["bill", "yield", "audit", "anatomy", "exposure"])
def test_spans_may_reach_to_the_ends_of_the_calendar(modicum, good_ledger, verb, time):
    for word in ("--since", "--until"):
        ran = modicum(verb, word, time, "--ledger", good_ledger)
        assert ran.status in {0, 1, 2}, ran.err


@pytest.mark.parametrize("time", [*TIMES, 1e30, -1, 1e300, 10**400, "infinity", -(2**63), 2**63])
@pytest.mark.parametrize("source", [name for name in FORMATS if not name.endswith("-usage")])
def test_a_call_at_an_end_of_the_calendar_is_a_problem_and_the_others_are_read(tmp_path, source, time):
    for case in (case for case in JSON_CASES if case.parent.name == source):
        path = tmp_path / case.name
        path.write_text("\n".join(json.dumps(timed(document, time)) for document in documents(case)))

        for anatomy in (False, True):
            found = list(read_calls([path], Reading(anatomy=anatomy), source=source))

            assert "please report" not in " ".join(str(one) for one in found)
            years = {one.started.year for one in found if isinstance(one, Call)}
            years |= {one.finished.year for one in found if isinstance(one, Call) and one.finished}
            assert all(2018 <= year < 2100 for year in years)


def timed(value, time):
    """A document with all that looks like a time replaced."""
    if isinstance(value, dict):
        return {name: time if _is_time(name, inner) else timed(inner, time) for name, inner in value.items()}
    return [timed(inner, time) for inner in value] if isinstance(value, list) else value


def _is_time(name, value):
    if isinstance(value, str) and re.match(r"\\d{4}-\\d\\d-\\d\\dT", value):
        return True
    return re.search(r"(?i)time|created|started|completed|_at$|_ms$|delay", name) is not None and isinstance(
        value, int | float | str
    )
