"""Fixture pairs: `fixtures/FORMAT/CASE.EXT` and what must be read from it, `CASE.calls.json`.

A database stands there as the SQL that makes it, `CASE.sql`, so that it can be reviewed; readers get it as `CASE.db`.

The expected file holds `calls`: for each call the fields that the case is about, and `problems`: for each a part of its
text. A field of `usage` that is not named must be 0.
"""

import atexit
import json
import re
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import msgspec

from modicum.calls import Basis, Call, Problem
from modicum.importers import read_calls
from modicum.importers.format import Reading

FIXTURES = Path(__file__).parent / "fixtures"
EXPECTED = ".calls.json"


def databases_made():
    """The cases that are given as SQL, as databases in a folder of ours, each beside what must be read from it."""
    scripts = sorted(FIXTURES.glob("*/*.sql"))
    made = Path(tempfile.mkdtemp(prefix="modicum-fixtures-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    for script in scripts:
        path = made / script.parent.name / f"{script.stem}.db"
        path.parent.mkdir(exist_ok=True)
        with closing(sqlite3.connect(path)) as database:
            database.executescript(script.read_text(encoding="utf-8"))
        if (expected := script.with_name(script.stem + EXPECTED)).exists():
            shutil.copy(expected, path.parent)
        yield path


def is_case(path):
    """Whether it is a log, and not what must be read from one."""
    return not path.name.endswith(EXPECTED)


CASES = sorted([path for path in FIXTURES.glob("*/*") if is_case(path) and path.suffix != ".sql"] + [*databases_made()])


def expected_of(case, calls, problems):
    """What stands beside a case. Where nothing does yet, what is read is printed, to be checked figure by figure."""
    beside = case.with_name(case.name.split(".")[0] + EXPECTED)
    assert beside.exists(), f"{case.parent.name}/{beside.name} is missing; read now:\n{as_expected(calls, problems)}"
    return json.loads(beside.read_text())


def as_expected(calls, problems):
    """Calls and problems as an expected file has them: without what is usual."""
    usual = {"first_token": None, "status": "ok", "tier": "standard", "calls_count": 1, "source": calls[0].source}
    rows = []
    for call in calls:
        document = json.loads(msgspec.json.encode(call))
        shown = {name: value for name, value in document.items() if value and usual.get(name) != value}
        shown = as_shown(call, [name for name in shown if name not in {"anatomy", "owner", "revision"}])
        rows.append("  " + json.dumps({name: value for name, value in shown.items() if value != "exact"}))
    reasons = ["  " + json.dumps(problem.split(": ", 1)[1]) for problem in problems]
    return '{{\n "calls": [\n{}\n ],\n "problems": [\n{}\n ]\n}}'.format(",\n".join(rows), ",\n".join(reasons))


def read(paths, **options):
    found = list(read_calls(paths, Reading(anatomy=True), **options))
    return [c for c in found if isinstance(c, Call)], [str(p) for p in found if isinstance(p, Problem)]


def as_shown(call, fields):
    document = json.loads(msgspec.json.encode(call))
    document["usage"] = {bucket: count for bucket, count in document["usage"].items() if count}
    if call.anatomy is not None:
        document["kept_segments"] = call.anatomy.kept_segments
        document["segments"] = [
            " ".join(filter(None, [part.kind, part.tool, "error" if part.is_error else ""]))
            for part in call.anatomy.added
        ]
    return {field: document.get(field) for field in fields}


def cases_of(name):
    """The fixtures of one format; at least one."""
    cases = [case for case in CASES if case.parent.name == name]
    assert cases
    return cases


def case_id(case):
    return case.name


def check_calls(case):
    """The calls and problems of a fixture are those that stand beside it."""
    calls, problems = read([case])
    expected = expected_of(case, calls, problems)

    assert [as_shown(call, want) for call, want in zip(calls, expected["calls"], strict=True)] == expected["calls"]
    assert all(part in problem for part, problem in zip(expected.get("problems", []), problems, strict=True))
    assert {call.source for call in calls} <= {case.parent.name}


INPUT_COUNTS = re.compile(
    r'(\\*"(?:prompt_tokens|input_tokens|uncached_input_tokens|promptTokenCount|prompt_token_count|promptTokens|input_uncached|input|'
    r"gen_ai\.usage\.input_tokens|total_tokens|totalTokens|totalTokenCount|total|inputTokens|tokensIn|input_other|inputOther|"
    r'inputTotal)\\*"\s*:\s*)\d+'
)


def check_null_counts(case, folder):
    """The same fixture with its prompt counts null: no call of it is an exact zero."""
    if case.suffix not in {".jsonl", ".json"}:
        return
    whole, _ = read([case])
    text, replaced = INPUT_COUNTS.subn(r"\1null", case.read_text())
    copy = folder / case.name
    copy.write_text(text)

    calls, problems = read([copy], source=case.parent.name)

    is_covered = replaced or all(not call.usage.prompt_tokens for call in whole) or "tlp" in case.parent.name
    assert is_covered, (
        f"no field of {case.parent.name}/{case.name} that holds the prompt's count is known here: add its name to "
        "INPUT_COUNTS in tests/importers/fixture_pairs.py"
    )
    exact_zeros = [call for call in calls if call.usage_basis is Basis.EXACT and not call.usage.prompt_tokens]
    zeros_before = {call.call_id for call in whole if not call.usage.prompt_tokens}
    assert [call for call in exact_zeros if call.call_id not in zeros_before] == []
    assert calls or problems or not any(call.usage.prompt_tokens for call in whole)
