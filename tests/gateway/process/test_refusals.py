"""Refusals by owner: counted through the whole gateway, reported, and gone on with after a restart."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx2 as httpx
import pytest

from gateway.rig import CHAT, running, usual, wait_until
from modicum.calls import Owner
from modicum.gateway.process.refusals import Refusals
from modicum.ledger.worker_reports import RefusalCount, WorkerReport, read_report
from modicum.settings import LimitSettings

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)


def counts(report):
    return {(one.team, one.app, one.key, one.kind): one.count for one in report.refusals}


def test_owners_are_told_apart_up_to_their_bound():
    kinds = Counter()
    refusals = Refusals(lambda kind: kinds.update([kind]), most_owners=2)
    for number in range(9):
        refusals.add("rate_limited", Owner(key=f"k{number}"))
    refusals.add("missing_key")

    found = counts(refusals.report(NOW, (), "", 5))

    assert found[("", "", "k0", "rate_limited")] == 1
    assert found[("other", "other", "other", "rate_limited")] == 7
    assert found[("other", "other", "other", "missing_key")] == 1
    assert kinds == {"rate_limited": 9, "missing_key": 1}


def test_a_report_is_due_when_something_changed_or_the_last_one_is_old():
    refusals = Refusals()

    assert refusals.report(NOW, (), "", 5) is not None
    assert refusals.report(NOW + timedelta(seconds=1), (), "", 5) is None
    assert refusals.report(NOW + timedelta(seconds=2), ("openai",), "", 5).open_circuits == ["openai"]
    assert refusals.report(NOW + timedelta(seconds=3), ("openai",), "no disk", 5).trouble == "no disk"
    assert refusals.report(NOW + timedelta(seconds=9), ("openai",), "no disk", 5) is not None
    refusals.add("unknown_key")
    assert refusals.report(NOW + timedelta(seconds=9), ("openai",), "no disk", 5) is not None


def test_a_worker_that_is_started_again_goes_on_counting():
    former = WorkerReport(at=NOW, refusals=[RefusalCount(team="a", key="ci", kind="rate_limited", count=41)])
    refusals = Refusals(former=former)

    refusals.add("rate_limited", Owner(team="a", key="ci"))

    assert counts(refusals.report(NOW, (), "", 5)) == {("a", "", "ci", "rate_limited"): 42}


@pytest.fixture(scope="module")
def refusing(tmp_path_factory):
    """A gateway whose only team may spend nothing."""

    def settings(port):
        limit = LimitSettings(name="nothing", calls_per_minute=0, team="broke")
        import msgspec

        return msgspec.structs.replace(usual()(port), limit=(limit,))

    with running(tmp_path_factory.mktemp("gateway"), settings) as rig:
        yield rig


def test_what_is_refused_is_reported_by_who_asked(refusing):
    rig, url = refusing, f"{refusing.url}/v1/chat/completions"
    key = rig.issue_key("poor", team="broke")
    limited = rig.issue_key("limited", models=("claude-*",), team="platform")
    for shown, body in ((key, CHAT), (key, CHAT), (limited, CHAT), ("mk_aa_bb", CHAT), (key, {"model": 5})):
        httpx.post(url, json=body, headers={"authorization": f"Bearer {shown}"})
    expected = {
        ("broke", "", "poor", "rate_limited"): 2,
        ("platform", "", "limited", "model_not_allowed"): 1,
        ("", "", "", "unknown_key"): 1,
    }

    def reported():
        report = read_report(rig.folder / "reports", "gateway")
        return report is not None and expected.items() <= counts(report).items()

    wait_until(reported)
    assert key not in (rig.folder / "reports" / "gateway.json").read_text()
