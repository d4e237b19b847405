"""Whoever reads the same files says the same of them: as many calls, and the same problems."""

import shutil
from pathlib import Path

import pytest

from importers.fixture_pairs import CASES, cases_of

FIXTURES = Path(__file__).parent / "importers" / "fixtures"
ROW = (
    '{"sessionId":"s","parentUuid":null,"timestamp":"2026-02-03T00:00:00Z",'
    '"message":{"id":"msg_%d","model":"claude-sonnet-4-6","usage":{"input_tokens":5,"output_tokens":%d}}}'
)
BROKEN = "\n".join(
    [
        ROW % (1, 1),
        ROW % (2, 1) + ROW % (3, 1),
        "\0\0\0" + ROW % (4, 1),
        ROW % (5, -1),
        '{"type":"user","message":{"content":[{"type":"text","text":5}]}}',
        '{"type":"user","message":{"content":nothing}}',
        "neither here nor there",
        (ROW % (6, 1)).replace("2026", "9999"),
        (ROW % (7, 1)).replace('"id":"msg_7",', ""),
        (ROW % (1, 1)).replace('"input_tokens":5', '"input_tokens":6'),
        (ROW % (8, 1))[:-40] + ROW % (9, 1),
        (ROW % (10, 1))[:60],
    ]
)


def test_who_reads_the_same_transcripts_says_the_same(modicum, tmp_path):
    folder = tmp_path / "logs"
    shutil.copytree(FIXTURES / "claude-code", folder, ignore=shutil.ignore_patterns("*.calls.json"))
    (folder / "broken.jsonl").write_text(BROKEN)
    (folder / "empty.jsonl").write_text("")
    (folder / "unknown.jsonl").write_text('{"a": 1}\n')
    (folder / "calls.log").write_text("")

    bill = check_same(modicum, folder)
    counting = modicum("bill", folder, "--counting", "--json").json

    assert sorted(counting["problems"], key=str) == sorted(bill["problems"], key=str)
    assert len(bill["problems"]) > 10
    greatest = next(row for row in counting["ways"] if row["way"] == "greatest_row")
    assert (greatest["records"], counting["other_files"]) == (bill["calls"], 0)


@pytest.mark.parametrize("name", sorted({case.parent.name for case in CASES}))
def test_who_reads_the_same_files_says_the_same(modicum, tmp_path, name):
    folder = tmp_path / "logs"
    folder.mkdir()
    for case in cases_of(name):
        shutil.copy(case, folder)

    assert check_same(modicum, folder)["calls"] > 0


def check_same(modicum, folder):
    """The bill of a folder, once import, audit and bill have said the same of it."""
    ledger = folder.parent / "ledger.duckdb"
    bill = modicum("bill", folder, "--json").json
    audit = modicum("audit", folder, "--json")
    imported = modicum("import", folder, "--ledger", ledger, "--json").json
    booked = modicum("bill", "--ledger", ledger, "--json").json

    problems = sorted(bill["problems"], key=str)
    assert sorted(imported["problems"], key=str) == problems
    assert (booked["calls"], booked["usage"], booked["cost_usd"]) == (bill["calls"], bill["usage"], bill["cost_usd"])
    assert booked["calls_unpriced"] == bill["calls_unpriced"]
    assert booked["calls_without_usage"] == bill["calls_without_usage"]
    if audit.out:  # of aggregated reports alone, nothing can be said
        assert sorted(audit.json["problems"], key=str) == problems
        assert audit.json["calls"] + audit.json["apart_calls"] == bill["calls"]
    return bill
