"""`modicum advise`, from logs and from the ledger to what is printed."""

import csv
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from modicum.calls import Call, Outcome, Usage
from modicum.ledger.booking import book
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES
from modicum.metering.prices import PriceBook

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
MODELS = ("claude-opus-4-5", "claude-haiku-4-5")


@pytest.fixture
def ledger(tmp_path):
    """Two models on the same 100 cases, all resolved."""
    place = str(tmp_path / "ledger.duckdb")
    prices = PriceBook()
    with closing(open_store(place)) as store:
        for model in MODELS:
            calls = [
                Call(
                    call_id=f"x:{model}{case}", source="x", provider="anthropic", model=model, task=f"{model}{case}",
                    started=NOON + timedelta(seconds=case), usage=Usage(input_uncached=1_000, output_visible=100),
                    tags={"case": f"c{case}"},
                )
                for case in range(100)
            ]  # fmt: skip
            store.append([book(call, prices) for call in calls])
            tasks = [call.task for call in calls]
            store.append_records(
                OUTCOMES, [Outcome(outcome_id=task, task=task, name="resolved", value=1.0, time=NOON) for task in tasks]
            )
    return place


def test_a_comparison_in_the_ledger_is_proof(ledger, modicum):
    rows = modicum("advise", "--ledger", ledger, "--json").json["rows"]

    assert (rows[0]["model"], rows[0]["tasks_with_outcome"], rows[0]["tasks_reached"]) == ("claude-opus-4-5", 100, 100)
    first = rows[0]["candidates"][0]
    assert (first["model"], first["evidence"], first["command"]) == ("claude-haiku-4-5", "proven here", None)
    assert "100 tasks" in first["why"]


def test_without_pairs_the_same_model_is_only_a_trial(ledger, modicum):
    ran = modicum("advise", "--ledger", ledger, "--pair", "branch")

    assert "proven here:" not in ran.out
    assert "run this trial: claude-haiku-4-5 saves at most $0.60 of $0.75" in ran.out


def test_logs_are_advised_on_without_a_ledger(transcripts, modicum):
    document = modicum("advise", transcripts, "--top", "1", "--json").json

    (row,) = document["rows"]
    assert row["cost_usd"] > 0
    assert row["candidates"] or row["why_no_candidate"]


def test_bad_input_is_one_line(ledger, modicum):
    empty = modicum("advise")
    unpriced = modicum("advise", "--ledger", ledger, "--candidate", "nobodys-model")
    unpaired = modicum("advise", "--ledger", ledger, "--pair", "moon")
    unnamed = modicum("advise", "--ledger", ledger, "--outcome", "nothing")

    assert [ran.status for ran in (empty, unpriced, unpaired, unnamed)] == [2, 2, 2, 2]
    assert "empty; fill it with 'modicum import PATH...'" in empty.err
    assert "no price is known of it" in unpriced.err
    assert modicum("advise", "--ledger", ledger, "--until", "2020-01-01").out.startswith("no calls")


def test_csv_has_a_row_for_each_candidate_with_the_fields_of_json(ledger, modicum):
    found = modicum("advise", "--ledger", ledger, "--json").json["rows"]
    rows = list(csv.DictReader(modicum("advise", "--ledger", ledger, "--csv").out.splitlines()))

    wanted = [(kind["model"], one["model"]) for kind in found for one in kind["candidates"] or [{"model": ""}]]
    assert [(row["model"], row["candidate.model"]) for row in rows] == wanted
    assert rows[0]["candidate.saving_at_most_usd"]


def test_a_machine_of_ones_own_stands_beside_simple_calls_and_needs_its_speed(tmp_path, modicum):
    call = {
        "modicum": 1,
        "model": "gpt-4o",
        "provider": "openai",
        "started": "2026-02-03T10:00:00Z",
        "task": "t",
        "usage": {"input_uncached": 2_000, "output_visible": 900},
        "messages": [{"role": "user", "content": "Name a colour."}],
    }
    (tmp_path / "calls.jsonl").write_text(json.dumps(call) + "\n")
    advise = "advise", tmp_path / "calls.jsonl", "--rent", "0.80"

    shown = modicum(*advise, "--tokens-per-second", "1500", "--watts", "250").out
    assert "on a machine of your own: granite-4.0-micro, busy 0.00017 hours: $0.00013 and 4.17e-05 kWh" in shown
    (row,) = modicum(*advise, "--tokens-per-second", "1500", "--json").json["rows"]
    assert (row["own_machine"]["kwh"], row["tools"]) == (None, "no tools")
    refused = modicum(*advise)
    assert (refused.status, "needs --rent USD and --tokens-per-second" in refused.err) == (2, True)
