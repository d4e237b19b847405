"""Fixture pairs: `fixtures/FORMAT/CASE.EXT` and what must be read from it, `CASE.calls.json`.

The expected file holds `calls`: for each call the fields that the case is about, and `problems`: for each a part of its
text. A field of `usage` that is not named must be 0.
"""

import json
import re
from pathlib import Path

import msgspec

from modicum.calls import Basis, Call, Problem
from modicum.importers import read_calls
from modicum.importers.format import Reading

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(path for path in FIXTURES.glob("*/*") if not path.name.endswith(".calls.json"))


def expected_of(case):
    return json.loads(case.with_name(case.name.split(".")[0] + ".calls.json").read_text())


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
    expected = expected_of(case)

    calls, problems = read([case])

    assert [as_shown(call, want) for call, want in zip(calls, expected["calls"], strict=True)] == expected["calls"]
    assert all(part in problem for part, problem in zip(expected.get("problems", []), problems, strict=True))
    assert {call.source for call in calls} <= {case.parent.name}


INPUT_COUNTS = re.compile(
    r'(\\*"(?:prompt_tokens|input_tokens|promptTokenCount|prompt_token_count|promptTokens|input_uncached|input|'
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

    assert replaced or all(not call.usage.prompt_tokens for call in whole) or "tlp" in case.parent.name
    exact_zeros = [call for call in calls if call.usage_basis is Basis.EXACT and not call.usage.prompt_tokens]
    zeros_before = {call.call_id for call in whole if not call.usage.prompt_tokens}
    assert [call for call in exact_zeros if call.call_id not in zeros_before] == []
    assert calls or problems or not any(call.usage.prompt_tokens for call in whole)
