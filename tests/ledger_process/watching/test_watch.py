"""`/metrics` of the ledger process, as Prometheus scrapes it: with the token, and without."""

import asyncio
from datetime import UTC, datetime

import httpx2 as httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ledger_process.rig import LedgerProcess, until
from ledger_process.watching.test_alert_post import serving
from modicum.calls import Call, Owner, Usage
from modicum.ledger.journal import Journal, Record
from modicum.ledger.worker_reports import RefusalCount, WorkerReport, write_report
from modicum.ledger_process.client import LedgerProcessStore
from modicum.ledger_process.running import find
from modicum.settings import AlertSettings, BudgetSettings, MetricsSettings, Settings

NOW = datetime.now(UTC)
OWNER = Owner(team="team-of-zorro", app="app-of-zorro", key="key-of-zorro", user="user-zorro")


def record(folder, worker, count, model="gpt-4o-mini"):
    """Calls in the journal of a worker."""

    async def write():
        journal = Journal(folder / "journal", worker)
        for number in range(count):
            told = {"source": "gateway", "provider": "openai", "model": model, "started": NOW, "owner": OWNER}
            call = Call(call_id=f"gateway:{worker}-{number}", finished=NOW, usage=Usage(1_000_000, 0), **told)
            await journal.append(Record(f"{worker}-{number}", "call", msgspec.msgpack.encode(call)))
        journal.close()

    asyncio.run(write())


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    """A ledger process whose token is in a file, with calls and refusals of two workers."""
    folder = tmp_path_factory.mktemp("ledger")
    (folder / "token").write_text("a-token-for-prometheus\n")
    budget = BudgetSettings(name="team-month", per="month", limit_usd=100, team="*", timezone="UTC")
    settings = Settings(metrics=MetricsSettings(token=f"file:{folder / 'token'}"), budget=(budget,))
    with LedgerProcess(folder, settings=settings) as process:
        for worker, count in (("gateway", 2), ("gateway-2", 3)):
            record(folder, worker, count)
            refusals = [RefusalCount(team="team-of-zorro", key="key-of-zorro", kind="budget_exceeded", count=count)]
            write_report(folder / "reports", worker, WorkerReport(at=NOW, refusals=refusals))
        yield process


def scrape(process, token=""):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.get(f"http://127.0.0.1:{process.port}/metrics", headers=headers)


def samples(text):
    return {
        (sample.name, *(sample.labels.get(name, "") for name in ("team", "app", "key"))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_one_scrape_shows_the_sum_of_all_workers_by_owner(scraped):
    place = "team-of-zorro", "app-of-zorro", "key-of-zorro"

    def whole():
        found = samples(scrape(scraped, "a-token-for-prometheus").text)
        # Until the first answer of the ledger a worker says that it is away.
        is_there = found.get(("modicum_ledger_away", "", "", "")) == 0
        return found.get(("modicum_owner_calls_total", *place)) == 5 and is_there and found

    found = until(whole)
    assert found["modicum_spend_usd_total", *place] == pytest.approx(5 * 0.15)
    assert found["modicum_owner_tokens_total", *place] == 5_000_000
    assert found["modicum_owner_refusals_total", "team-of-zorro", "", "key-of-zorro"] == 5

    def left_after_all():
        left = samples(scrape(scraped, "a-token-for-prometheus").text).get(
            ("modicum_budget_left", "team-of-zorro", "", ""), 0
        )
        return left == pytest.approx(100 - 5 * 0.15)

    assert until(left_after_all)  # budgets are looked at now and then


def test_without_a_token_there_is_no_owner_and_a_wrong_one_is_refused(scraped):
    text = scrape(scraped).text

    assert "modicum_journal_records_unshipped" in text
    assert "zorro" not in text
    assert scrape(scraped, "a-token-for-prometheu").status_code == 401
    assert scrape(scraped, "x" * 100_000).status_code in {400, 401, 431}
    assert "zorro" not in scrape(scraped, "wrong").text


def test_commands_of_this_user_need_no_other_token(scraped):
    token = find(scraped.folder).token

    assert scrape(scraped, token).status_code == 200
    refused = httpx.post(
        f"http://127.0.0.1:{scraped.port}/api/live", headers={"authorization": "Bearer a-token-for-prometheus"}
    )
    assert refused.status_code == 401  # the token of metrics opens nothing else


def test_users_and_keys_themselves_are_nowhere(scraped):
    text = scrape(scraped, "a-token-for-prometheus").text

    assert "user-zorro" not in text
    assert "mk_" not in text


def test_what_happens_is_told_in_the_log_and_at_the_webhook(tmp_path):
    """A model without a price, a budget at a step and when it is used up, a worker in trouble: each told once."""
    kinds = ["budget_forecast", "budget_step", "gateway_trouble", "unknown_price"]
    budget = BudgetSettings(name="calls", per="ever", limit_calls=4)
    with serving() as receiver:
        settings = Settings(alerts=AlertSettings(webhook=receiver.url), budget=(budget,))
        with LedgerProcess(tmp_path, settings=settings) as process:
            record(tmp_path, "gateway", 3, model="a-model-of-our-own")
            write_report(
                tmp_path / "reports", "gateway", WorkerReport(at=datetime.now(UTC), trouble="the disk is full")
            )
            until(lambda: len(receiver.posted) >= 4, 20.0)
            LedgerProcessStore(find(tmp_path)).raise_test_alert()
            metrics = scrape(process).text

    assert sorted(one["kind"] for one in receiver.posted) == kinds
    assert sorted(alert.kind for alert in process.alerts) == sorted([*kinds, "test"])
    assert 'modicum_alerts_total{kind="test"} 1.0' in metrics
    step = next(one for one in receiver.posted if one["kind"] == "budget_step")
    assert (step["facts"]["step"], step["text"]) == (
        0.5,
        "budget 'calls' has reached 50 % of its limit: 3 calls of 4 calls are spent",
    )
    assert 'modicum_alerts_total{kind="budget_step"} 1.0' in metrics
    assert "zorro" not in str(receiver.posted)
