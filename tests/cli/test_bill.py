import csv
import io
import json
from decimal import Decimal

import pytest

from cli.process_rig import journaled
from ledger.faults import garbage
from ledger_process.rig import LedgerProcess, until
from modicum.calls import BUCKETS
from modicum.calls.usage import TEXT_BUCKETS
from modicum.settings import state_folder


def test_a_bill_of_logs_has_usage_by_bucket_and_the_basis_of_its_cost(modicum, transcripts):
    bill = modicum("bill", transcripts / "session.jsonl", "--json").json

    assert bill["calls"] == 3
    assert list(bill["usage"]) == list(BUCKETS)
    assert {bucket: bill["usage"][bucket] for bucket in TEXT_BUCKETS} == {
        "input_uncached": 9,
        "cache_read": 44_000,
        "cache_write_5m": 21_000,
        "cache_write_1h": 400,
        "output_visible": 76,
        "output_reasoning": 0,
    }
    assert bill["prompt_tokens"] == 9 + 44_000 + 21_000 + 400
    assert bill["basis"] == "lower_bound"
    assert bill["calls_in_progress_rows"] == 1


def test_the_cost_is_that_of_the_published_prices(modicum, transcripts):
    bill = modicum("bill", transcripts / "rewind.jsonl", "--json").json
    tokens = {
        "input_uncached": (12, 5),
        "cache_read": (20040, "0.5"),
        "cache_write_5m": (20947, "6.25"),
        "output": (28, 25),
    }
    by_hand = sum(count * Decimal(per_million) for count, per_million in tokens.values()) / 1_000_000

    assert Decimal(str(bill["cost_usd"])) == by_hand


def test_fast_mode_without_a_price_for_it_is_unknown_and_named_first(modicum, transcripts):
    ran = modicum("bill", transcripts / "session.jsonl")

    assert ran.out.startswith("no price is known for claude-opus-4-5-20251101")
    assert "1 call has no known price and is in no sum" in ran.out


@pytest.mark.parametrize(
    "by", ["model", "day", "week", "project", "owner", "source", "task", "agent", "tag:x", "place"]
)
def test_logs_and_ledger_give_the_same_bill(by, modicum, transcripts):
    modicum("import", transcripts, "--no-anatomy")

    assert modicum("bill", "--by", by, "--json").json == modicum("bill", transcripts, "--by", by, "--json").json


def test_rows_sum_to_the_total(modicum, transcripts):
    bill = modicum("bill", transcripts, "--by", "agent", "--json").json

    assert sum(row["calls"] for row in bill["rows"]) == bill["calls"]
    assert all(sum(row["usage"][bucket] for row in bill["rows"]) == bill["usage"][bucket] for bucket in BUCKETS)
    assert sum(Decimal(str(row["cost_usd"])) for row in bill["rows"]) == Decimal(str(bill["cost_usd"]))


def test_buckets_cut_the_cost_and_not_the_calls(modicum, transcripts):
    bill = modicum("bill", transcripts, "--by", "bucket", "--json").json

    assert {row["name"] for row in bill["rows"]} <= {*BUCKETS, "requests"}
    assert sum(Decimal(str(row["cost_usd"])) for row in bill["rows"]) == Decimal(str(bill["cost_usd"]))
    assert next(row for row in bill["rows"] if row["name"] == "cache_read")["basis"] == "exact"


def test_by_tool_shows_what_each_tools_results_cost_to_carry(modicum, transcripts):
    rent = modicum("bill", transcripts, "--by", "tool", "--json").json

    assert "tool_result Read" in [part["name"] for part in rent["parts"]]
    assert abs(rent["rest_usd"]) < 1e-9


def test_a_span_leaves_out_what_began_before_or_after(modicum, transcripts):
    days = [row["name"] for row in modicum("bill", transcripts, "--by", "day", "--json").json["rows"]]
    none = modicum("bill", transcripts, "--since", "2026-02-04", "--json").json

    assert days == ["2026-02-03"]
    assert (none["calls"], none["cost_usd"], none["basis"]) == (0, None, "unknown")


def test_csv_has_a_line_per_row_and_a_head(modicum, transcripts):
    lines = list(csv.DictReader(io.StringIO(modicum("bill", transcripts, "--csv").out)))

    assert {line["model"] for line in lines} == {"claude-opus-4-5-20251101", "claude-haiku-4-5-20251001"}
    assert all(line["basis"] == "lower_bound" for line in lines)


def test_csv_runs_nothing_in_a_spreadsheet_whatever_a_caller_called_itself(modicum, tmp_path):
    call = {"request": {"model": "gpt-4o"}, "response": {"id": "1", "model": "gpt-4o"}, "team": "=cmd|'/c calc'!A1"}
    call["timestamp"] = "2026-01-31T12:00:00Z"
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11}
    call["response"] |= {"object": "chat.completion", "choices": [], "usage": usage}
    (tmp_path / "calls.jsonl").write_text(json.dumps(call) + "\n")

    (line,) = csv.DictReader(io.StringIO(modicum("bill", tmp_path / "calls.jsonl", "--by", "team", "--csv").out))

    assert line["team"] == "'=cmd|'/c calc'!A1"
    assert (line["calls"], line["prompt_tokens"]) == ("1", "10")
    assert Decimal(line["cost_usd"]) > 0


def test_an_empty_ledger_says_what_to_type(modicum):
    ran = modicum("bill")

    assert ran.status == 2
    assert "modicum import" in ran.err


def test_a_wrong_dimension_and_a_missing_path_are_one_line(modicum):
    assert modicum("bill", "x", "--by", "colour").err.startswith("modicum: there is no bill by 'colour'")
    assert modicum("bill", "nowhere").err == "modicum: there is no file or folder nowhere\n"


def test_problems_are_shown_at_the_end_and_strict_makes_them_count(modicum, transcripts, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    content = (transcripts / "session.jsonl").read_text()
    (logs / "a.jsonl").write_text(content + '{"type":"assistant","message":{"usage":{"output_tokens":-1\n')

    assert modicum("bill", logs).status == 0
    assert "a.jsonl:13: not counted" in modicum("bill", logs).err
    assert modicum("bill", logs, "--strict").status == 1
    assert modicum("bill", logs, "--strict", "--json").json["problems"][0]["line"] == 13


def test_without_logs_in_the_home_directory_the_sample_is_billed_and_says_so(modicum, home):
    (home / ".claude" / "projects").mkdir(parents=True)
    ran = modicum("bill", "--found")

    assert "this is the sample that comes with modicum" in ran.err
    assert ran.status == 0


def test_logs_in_the_home_directory_are_found(modicum, home, transcripts):
    folder = home / ".claude" / "projects" / "p"
    folder.mkdir(parents=True)
    (folder / "s.jsonl").write_bytes((transcripts / "session.jsonl").read_bytes())
    ran = modicum("bill", "--found", "--json")

    assert ran.json["calls"] == 3
    assert "claude-code logs:" in ran.err


def test_a_subscription_stands_beside_the_list_price(modicum, transcripts, tmp_path):
    own = tmp_path / "prices.toml"
    own.write_text('[[subscription]]\nname = "Max"\nsource = "claude-code"\nusd_per_month = 200\n')
    bill = modicum("bill", transcripts, "--prices", own, "--json").json

    assert [(fee["name"], fee["months"], fee["paid_usd"], fee["calls"]) for fee in bill["subscriptions"]] == [
        ("Max", 1, 200, 7)
    ]
    assert bill["subscriptions"][0]["list_cost_usd"] == bill["cost_usd"]
    assert "Max: $200.00 for 1 month covered 7 calls" in modicum("bill", transcripts, "--prices", own).out


def test_calls_of_other_journals_are_in_the_bill_while_one_journal_is_garbage(modicum, tmp_path):
    (tmp_path / "work" / "modicum.toml").write_text(f'ledger = "{state_folder() / "ledger.duckdb"}"\n')
    garbage(state_folder() / "journal", "random")
    journaled(1)
    with LedgerProcess(state_folder()) as ledger:
        until(lambda: any("the journal cannot be read" in line for line in ledger.said))
        until(lambda: "gpt-4o-mini" in modicum("bill").out)


def test_days_are_those_of_the_machine_unless_another_zone_is_asked_for(modicum, tmp_path, monkeypatch):
    at = ("2026-03-08T04:30:00Z", "2026-03-08T05:30:00Z", "2026-03-09T03:30:00Z", "2026-03-09T04:30:00Z")
    rows = [
        {
            "sessionId": "s",
            "parentUuid": None,
            "timestamp": time,
            "message": {"id": f"msg_{time}", "model": "claude-sonnet-4-6", "usage": {"output_tokens": 1}},
        }
        for time in at
    ]
    path = tmp_path / "s.jsonl"
    path.write_text("\n".join(json.dumps(row, separators=(",", ":")) for row in rows))
    monkeypatch.setenv("TZ", "America/New_York")

    local = modicum("bill", path, "--by", "day")
    asked = modicum("bill", path, "--by", "day", "--timezone", "UTC", "--json")
    monkeypatch.setenv("TZ", "nowhere")
    lost = modicum("bill", path, "--by", "day")

    assert "days begin at midnight in America/New_York (this machine's time zone)" in local.out
    shown = [line.split()[:2] for line in local.out.splitlines() if line.startswith("2026")]
    assert shown == [["2026-03-07", "1"], ["2026-03-08", "2"], ["2026-03-09", "1"]]
    assert (asked.json["timezone"], [row["calls"] for row in asked.json["rows"]]) == ("UTC", [2, 2])
    assert "days begin at midnight in UTC (this machine's time zone was not found" in lost.out


def test_amounts_in_another_currency_are_at_the_users_rate(modicum, transcripts):
    found = modicum("bill", transcripts, "--currency", "EUR=0.5", "--json").json

    assert found["currency"]["total"] == found["cost_usd"] / 2
    assert found["currency"]["rates"] == [{"from": None, "per_usd": 0.5}]
    lines = modicum("bill", transcripts, "--currency", "EUR=0.5").out.splitlines()
    (columns,), (total,) = ([line for line in lines if line.startswith(word)] for word in ("model ", "total "))
    assert (columns.split()[-1], total.split("  ")[-1][:3]) == ("EUR", ">= ")  # as sure as its dollars
    wrong = modicum("bill", transcripts, "--currency", "EUR=0.5", "--by", "bucket")
    assert (wrong.status, "leave it out" in wrong.err) == (2, True)


def test_a_bill_is_a_page(modicum, transcripts, tmp_path):
    assert modicum("bill", transcripts, "--html", tmp_path / "bill.html").status == 0
    assert "Bill by model" in (tmp_path / "bill.html").read_text()
    wrong = modicum("bill", transcripts, "--html", tmp_path / "none" / "bill.html")
    assert (wrong.status, "cannot be written" in wrong.err) == (2, True)


@pytest.mark.parametrize("words", [("--by", "tool"), ("--counting",)])
@pytest.mark.parametrize("form", [("--html", "x.html"), ("--csv",)])
def test_a_form_that_would_be_left_out_is_an_error(words, form, modicum, transcripts):
    ran = modicum("bill", transcripts, *words, *form)

    assert (ran.status, ran.out) == (2, "")
    assert f"{' '.join(words)} has no {form[0]}: leave it out" in ran.err
