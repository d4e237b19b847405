"""Reports asked of the mock provider, for calls that the official clients made to it."""

import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import anthropic
import openai
import pytest
import uvicorn
import uvloop

from modicum.calls import Call, Owner, Usage, UserError
from modicum.cli.reconciling.fetching import fetched_days
from modicum.cli.shared_options import SpanOptions
from modicum.gateway.process.mock import MockApp
from modicum.ledger.booking import book
from modicum.ledger.opening import open_store
from modicum.metering.prices import PriceBook
from modicum.outbound.listener import bind_listener
from modicum.providers.mock.provider import MockProvider
from modicum.providers.mock.usage_reports import key_id

TODAY = date(2026, 11, 15)


@pytest.fixture(scope="module")
def provider():
    """A mock provider that has answered three calls; and what they were."""
    config = uvicorn.Config(MockApp(MockProvider()), http="httptools", lifespan="off", log_config=None, ws="none")
    server, bound = uvicorn.Server(config), bind_listener("test", "127.0.0.1", 0)
    thread = threading.Thread(target=lambda: uvloop.run(server.serve(sockets=[bound])))
    thread.start()
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    asked = [{"role": "user", "content": "what does a modicum cost? " * 400}]
    calls = []
    with openai.OpenAI(base_url=f"{url}/v1", api_key="one", max_retries=0) as client:
        for _ in range(2):
            usage = client.chat.completions.create(model="gpt-4o-2024-08-06", messages=asked).usage
            cached = usage.prompt_tokens_details.cached_tokens
            counts = Usage(usage.prompt_tokens - cached, cached, output_visible=usage.completion_tokens)
            calls.append(("openai", "gpt-4o", counts))
    with anthropic.Anthropic(base_url=url, api_key="two", max_retries=0) as client:
        usage = client.messages.create(model="claude-haiku-4-5", messages=asked, max_tokens=100).usage
        counts = Usage(usage.input_tokens, output_visible=usage.output_tokens)
        calls.append(("anthropic", "claude-haiku-4-5", counts))
    yield url, datetime.now(UTC), calls
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def asking(provider, modicum, monkeypatch):
    """Runs the verb over a ledger that holds the same calls, under an alias of one model."""
    url, at, calls = provider
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-secret")
    monkeypatch.setenv("ANTHROPIC_ADMIN_API_KEY", "sk-ant-admin-secret")
    store, prices = open_store("ledger.duckdb"), PriceBook()
    fields = {"source": "gateway", "started": at, "owner": Owner(key="ci")}
    for number, (seller, model, usage) in enumerate(calls):
        store.append([book(Call(call_id=f"c{number}", provider=seller, model=model, usage=usage, **fields), prices)])
    store.close()
    # The days around, so that the test may run over midnight.
    day = at.date()
    span = ("--since", f"{day - timedelta(days=1)}", "--until", f"{day + timedelta(days=2)}")
    return lambda *words: modicum("reconcile", "--ledger", "ledger.duckdb", "--url", url, *span, *words)


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_a_provider_that_is_asked_agrees_with_what_it_answered(name, asking):
    found = asking("--from", name, "--all", "--json")

    (row,) = [one for one in found.json["rows"] if one["ours"]["calls"]]
    assert row["cause"] == ""
    assert row["ours"]["prompt_tokens"] == row["theirs"]["prompt_tokens"] > 0
    assert row["tokens_more"] == 0
    assert abs(row["usd_more"]) < 1e-6
    assert row["theirs"]["usd"] > 0
    if name == "openai":
        assert (row["our_models"], row["their_models"]) == (["gpt-4o"], ["gpt-4o-2024-08-06"])
        assert row["model"] == "gpt-4o = gpt-4o-2024-08-06"
    assert "secret" not in found.out + found.err


def test_pages_can_be_kept_and_read_again(asking, modicum):
    asked = asking("--from", "openai", "--by", "key", "--key", f"{key_id('one')}=ci", "--save", "kept")
    read = modicum("reconcile", "--ledger", "ledger.duckdb", "kept")
    shown = modicum("reconcile", "--ledger", "ledger.duckdb", "kept", "--all")

    assert "agree" in asked.out
    assert "agree" in read.out
    assert "they charge as much in these rows" in shown.out
    assert "problem" not in read.out + read.err  # a page without a row, as that of embeddings here, is none
    assert sorted(path.name for path in Path("kept").iterdir()) == [
        "openai-completions-001.json",
        "openai-costs-001.json",
        "openai-embeddings-001.json",
    ]
    assert not any("secret" in path.read_text() for path in Path("kept").iterdir())


def test_a_key_that_is_missing_or_of_no_administrator_is_said(asking, monkeypatch):
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-plain-secret")
    monkeypatch.delenv("ANTHROPIC_ADMIN_API_KEY")
    plain, missing = asking("--from", "openai"), asking("--from", "anthropic")
    itself = asking("--from", "openai", "--admin-key", "sk-admin-secret")

    assert [one.status for one in (plain, missing, itself)] == [2, 2, 2]
    assert "answers 403 (this is no administrator's key: here they begin with 'sk-admin')" in plain.err
    assert "ANTHROPIC_ADMIN_API_KEY is not set" in missing.err
    assert "env:NAME or file:PATH" in itself.err
    assert "secret" not in plain.err + itself.err


def test_options_of_asking_need_somebody_to_ask(modicum):
    assert "--since is about reports that are asked for" in modicum("reconcile", "x.json", "--since", "7d").err
    both = modicum("reconcile", "--from", "openai", "--from", "anthropic", "--url", "http://127.0.0.1:1")
    assert "are for one provider" in both.err


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ({}, ("2026-11-01", "2026-11-15")),
        ({"since": "2026-10-03"}, ("2026-10-03", "2026-11-15")),
        ({"since": "2026-10-03", "until": "2026-10-05"}, ("2026-10-03", "2026-10-05")),
        ({"until": "2026-10-01"}, ("2026-09-01", "2026-10-01")),
        ({"until": "2026-10-01T05:00"}, ("2026-10-01", "2026-10-02")),
    ],
)
def test_days_are_those_of_utc_and_by_default_the_month_of_yesterday(words, days):
    assert tuple(str(day) for day in fetched_days(SpanOptions(**words), TODAY)) == days


def test_on_the_first_of_a_month_it_is_the_month_before():
    assert fetched_days(SpanOptions(), date(2026, 11, 1)) == (date(2026, 10, 1), date(2026, 11, 1))
    with pytest.raises(UserError, match="more than ten years"):
        fetched_days(SpanOptions(since="1990-01-01"), TODAY)
