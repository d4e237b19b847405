import json
from datetime import UTC, datetime, timedelta

import pytest

from modicum.calls import Basis, Call, Usage
from modicum.cli.trials import metering
from modicum.cli.trials.metering import meter_ledger, meter_logs
from modicum.gateway.meter import begun_record
from modicum.ledger.booking import book
from modicum.ledger.calls_in_flight import CallsInFlight
from modicum.ledger.opening import open_store
from modicum.metering.prices import PriceBook

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def reply(identity, at, tokens, model="gpt-4o-mini"):
    return json.dumps(
        {
            "id": identity,
            "object": "chat.completion",
            "created": int(at.timestamp()),
            "model": model,
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "a"}}],
            "usage": {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": 10 + tokens},
        }
    )


def test_calls_in_logs_are_priced_and_older_ones_are_not_this_runs(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(reply("a", AT - timedelta(hours=1), 100) + "\n" + reply("b", AT, 1_000_000) + "\n")
    use = meter_logs([path], PriceBook(None), since=AT)

    assert (use.prompt_tokens, use.completion_tokens, use.basis) == (10, 1_000_000, "exact")
    assert use.cost_usd == pytest.approx(0.6, rel=0.001)
    (model,) = use.models
    assert sum(model.cost_by_bucket.values()) == pytest.approx(use.cost_usd)
    assert model.price.startswith("genai-prices ")


def test_nothing_found_is_not_known_and_never_0(tmp_path):
    use = meter_logs([tmp_path / "none"], PriceBook(None))

    assert (use.prompt_tokens, use.cost_usd, use.basis) == (None, None, "unknown")


def test_a_call_without_a_price_makes_the_cost_unknown(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(reply("a", AT, 10) + "\n" + reply("b", AT, 10, "nobodys-model") + "\n")
    use = meter_logs([path], PriceBook(None))

    assert use.completion_tokens == 20
    assert use.cost_usd is None


def test_calls_of_a_run_are_those_of_its_task_in_the_ledger(tmp_path):
    store = open_store(str(tmp_path / "ledger.duckdb"))
    calls = [
        Call(
            call_id=f"gateway:{task}",
            source="gateway",
            provider="openai",
            model="gpt-4o-mini",
            started=AT,
            usage=Usage(input_uncached=10, output_visible=5),
            usage_basis=Basis.EXACT,
            task=task,
            client_version="2.1.0",
        )
        for task in ("run-1", "run-2")
    ]
    store.append([book(call, PriceBook(None)) for call in calls])
    use = meter_ledger(store, "run-1", AT, tmp_path)
    none = meter_ledger(store, "run-3", AT, tmp_path)
    store.close()

    assert (none.prompt_tokens, none.cost_usd, none.problems) == (None, None, [])

    assert (use.prompt_tokens, use.completion_tokens, len(use.models)) == (10, 5, 1)
    assert use.models[0].price.startswith("genai-prices ")
    assert use.models[0].clients == ["2.1.0"]
    assert use.cost_usd > 0


def test_calls_that_do_not_end_make_a_run_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(metering, "SHIPPED_WITHIN_S", 0.0)
    slots = CallsInFlight(tmp_path / "gateway.underway", 4)
    names = {"source": "gateway", "provider": "openai", "model": "gpt-4o-mini"}
    call = Call(call_id="c", **names, started=AT, usage=Usage(), task="run-1")
    slots.begin(begun_record(call))
    store = open_store(str(tmp_path / "ledger.duckdb"))
    use = meter_ledger(store, "run-1", AT, tmp_path)
    other = meter_ledger(store, "run-2", AT, tmp_path)
    store.close()
    slots.close()

    assert (use.cost_usd, use.problems) == (None, ["calls of it were still under way after 0 s"])
    assert other.problems == []
