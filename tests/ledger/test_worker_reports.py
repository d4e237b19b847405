"""What workers report, also through files that are broken."""

from datetime import UTC, datetime

import pytest

from modicum.ledger.worker_reports import (
    MOST_BYTES,
    RefusalCount,
    WorkerReport,
    read_report,
    read_reports,
    write_report,
)

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
REPORT = WorkerReport(
    at=NOW, refusals=[RefusalCount(team="a\nb", key="ci", kind="budget_exceeded", count=3)], open_circuits=["openai"]
)


def test_a_report_is_read_as_it_was_written_and_only_by_its_user(tmp_path):
    write_report(tmp_path / "reports", "gateway", REPORT)
    write_report(tmp_path / "reports", "gateway-2", WorkerReport(at=NOW, trouble="the disk is full"))

    assert read_report(tmp_path / "reports", "gateway") == REPORT
    assert [*read_reports(tmp_path / "reports")] == ["gateway", "gateway-2"]
    assert (tmp_path / "reports" / "gateway.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"at": 5}',
        b'{"at":"2026-11-30T08:00:00Z","refusals":[{"kind":"x","count":-1}]}',
        b"\xff\xfe",
    ],
)
def test_one_that_is_broken_costs_only_its_own_figures(tmp_path, content):
    write_report(tmp_path, "gateway", REPORT)
    (tmp_path / "gateway-2.json").write_bytes(content)
    (tmp_path / "gateway-3.json").mkdir()

    assert read_reports(tmp_path) == {"gateway": REPORT}
    assert read_report(tmp_path, "gateway-2") is None


def test_one_of_absurd_size_is_not_read(tmp_path):
    (tmp_path / "gateway.json").write_bytes(b" " * (MOST_BYTES + 1))

    assert read_reports(tmp_path) == {}
    assert read_reports(tmp_path / "not there") == {}
