"""Budgets through the whole gateway: real requests, a real upstream, a real journal and ledger."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import anthropic
import httpx2 as httpx
import openai
import pytest

from gateway.budgets.budget_rig import LEFT, MESSAGES, chat_reply, gpt_4o_mini_usd, with_budgets
from gateway.budgets.test_call_prices import exchange
from gateway.rig import wait_until
from gateway.scripted import Answer, anthropic_stream, chunk, events, whole
from modicum.calls.change import Change
from modicum.calls.rule import Rule
from modicum.gateway.budgets.call_prices import CallPrices
from modicum.governance.budgets import COUNTED_TAG, NANO, RESERVED_TAG
from modicum.metering.prices import PriceBook
from modicum.settings import BudgetSettings


def nano(usd):
    return int(usd * NANO)


def error_of(reply):
    return reply.json()["error"]


def test_a_call_is_settled_with_what_it_cost_and_its_reply_says_what_is_left(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 1.0}) as rig:
        reply = rig.chat()
        (entry,) = rig.ledger.entries()

        assert reply.status_code == 200
        assert entry.cost.usd == gpt_4o_mini_usd(10, 10)
        assert rig.levels().popitem()[1] == (nano(entry.cost.usd), 0)
        name, usd, resets = reply.headers[LEFT].split("; ")
        assert (name, usd) == ("all", f"usd={1 - entry.cost.usd:.6f}")
        assert 0 < int(resets.removeprefix("resets_s=")) <= 86_400


def test_a_call_that_does_not_fit_is_refused_with_all_that_one_needs_to_know(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 0.0004}) as rig:
        rig.answers = chat_reply(completion_tokens=500)
        first, second = rig.chat(max_tokens=300), rig.chat(max_tokens=300)

        assert (first.status_code, second.status_code) == (200, 402)
        assert error_of(second)["message"].startswith("the budget 'all' ($0.000400 per day) has $0.0000")
        assert "it opens again in" in error_of(second)["message"]
        assert 0 < int(second.headers["retry-after"]) <= 86_400
        assert len(rig.asked) == 1
        assert len(rig.records()) == 1  # what was refused is no call


def test_clients_of_each_dialect_understand_a_refusal(tmp_path):
    with with_budgets(tmp_path, {"limit_calls": 0}) as rig:
        with (
            openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client,
            pytest.raises(openai.APIStatusError, match="budget 'all'") as refused,
        ):
            client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
        with (
            anthropic.Anthropic(base_url=rig.url, api_key=rig.key, max_retries=0) as claude,
            pytest.raises(anthropic.APIStatusError, match="budget 'all'") as refused_too,
        ):
            claude.messages.create(model="claude-sonnet-4-6", messages=MESSAGES, max_tokens=5)

        assert refused.value.status_code == refused_too.value.status_code == 402


def test_what_can_never_fit_says_so_and_when_not_to_come_again(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 0.00001}) as rig:
        reply = rig.chat(max_tokens=1000)

        assert reply.status_code == 402
        assert "can never hold it" in error_of(reply)["message"]
        assert "retry-after" not in reply.headers


def test_while_calls_run_that_hold_the_rest_one_is_asked_to_come_again(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 0.0005}) as rig, ThreadPoolExecutor(1) as pool:
        answer, started = rig.provider.reply, threading.Event()

        async def held(headers, reader, writer):
            started.set()
            await rig.provider.gone_or_released(reader)
            return await answer(headers, reader, writer)

        rig.provider.reply = held
        running = pool.submit(rig.chat, 300)
        assert started.wait(10)
        busy = rig.chat(300)
        rig.release()

        assert running.result().status_code == 200
        assert (busy.status_code, busy.headers["retry-after"]) == (429, "1")
        assert error_of(busy)["message"].count("calls that run hold") == 1
        assert rig.chat(300).status_code == 200


LONG = "Tell me about the capital of France, its river and its bridges. " * 40
FAR = NANO // 2
"""A limit, of which a call with that prompt and few tokens of output takes less than a 256th."""


def worst_of(max_tokens, text):
    """What a call may cost at most, counted."""
    told = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], "max_tokens": max_tokens}
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()  # as httpx writes it
    prices = CallPrices(PriceBook)
    try:
        return asyncio.run(prices.worst(exchange(body))).nano_usd
    finally:
        prices.close()


def chat_of(rig, max_tokens, text):
    return rig.chat(max_tokens, messages=[{"role": "user", "content": text}])


@contextmanager
def running(rig, max_tokens, text):
    """Of a call that waits for its provider."""
    answer, started = rig.provider.reply, threading.Event()

    async def held(headers, reader, writer):
        started.set()
        await rig.provider.gone_or_released(reader)
        return await answer(headers, reader, writer)

    rig.provider.reply = held
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(chat_of, rig, max_tokens, text)
        assert started.wait(10)
        rig.provider.reply = answer
        yield
        rig.release()
        assert call.result().status_code == 200


def test_no_call_is_refused_for_what_another_reserves_above_its_worst_case(tmp_path):
    """The first is far from the limit, and bounded by its bytes. The next fits exactly beside its worst case."""
    with with_budgets(tmp_path, {"limit_usd": FAR / NANO}) as rig:
        first, price = worst_of(10, LONG), worst_of(11, "Hi") - worst_of(10, "Hi")
        most = (FAR - first) // price  # and a few less, for its prompt
        most -= -((FAR - first - worst_of(most, "Hi")) // price)
        with running(rig, 10, LONG):
            assert rig.reserved() > first + price * 1_000

            refused = chat_of(rig, most + 1, "Hi")
            counted = rig.reserved()
            fits = chat_of(rig, most, "Hi")

            assert (refused.status_code, fits.status_code) == (429, 200)
            assert counted == first
        assert rig.reserved() == 0


def test_nor_while_the_price_of_that_other_is_looked_up(tmp_path, monkeypatch):
    with with_budgets(tmp_path, {"limit_usd": FAR / NANO}) as rig:
        chat_of(rig, 4_000, "Hi")  # is counted, and settled: the first of each takes a thread
        left = FAR - rig.spent()
        first, price = worst_of(10, LONG), worst_of(11, "Hi") - worst_of(10, "Hi")
        most = (left - first) // price
        most -= -((left - first - worst_of(most, "Hi")) // price)
        prices, answer = rig.gateway.parts.budgets._prices, rig.provider.reply
        cost, is_looked_up, may_go_on = prices._cost, threading.Event(), threading.Event()

        def slow(call):
            is_looked_up.set()
            assert may_go_on.wait(10)
            return cost(call)

        async def next_answer(headers, reader, writer):
            may_go_on.set()
            return await answer(headers, reader, writer)

        with running(rig, 10, LONG):
            monkeypatch.setattr(prices, "_cost", slow)
            monkeypatch.setattr(prices, "_known", {key for key in prices._known if key[0] != "cost"})
            rig.provider.reply = next_answer
            rig.release()
            assert is_looked_up.wait(10)

            fits = chat_of(rig, most, "Hi")

            may_go_on.set()
        assert fits.status_code == 200
        assert rig.reserved() == 0


def test_a_call_whose_cost_nobody_learns_counts_with_its_worst_case_and_no_more(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": FAR / NANO}) as rig:
        rig.answers = Answer(b"\x00\x01", status=504)
        chat_of(rig, 10, LONG)
        (entry,) = rig.ledger.entries()

        worst = worst_of(10, LONG)
        assert entry.cost.usd is None
        assert entry.call.tags[RESERVED_TAG].startswith(f"{worst}/")
        assert (rig.spent(), rig.reserved()) == (worst, 0)


def test_so_does_one_that_was_answered_by_a_model_without_a_price(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": FAR / NANO}) as rig:
        for model in ("gpt-4o-mini", "nobody-prices-this"):
            rig.answers = chat_reply(model=model)
            assert chat_of(rig, 10, LONG).status_code == 200
        *_, entry = rig.ledger.entries()

        worst = worst_of(10, LONG)
        assert entry.cost.usd is None
        assert entry.call.tags[RESERVED_TAG].startswith(f"{worst}/")
        assert (rig.spent() - int(gpt_4o_mini_usd(10, 10) * NANO), rig.reserved()) == (worst, 0)


def test_nested_budgets_hold_all_or_none(tmp_path):
    budgets = {"name": "team", "limit_calls": 3, "team": "platform"}, {"name": "key", "limit_calls": 1, "key": "*"}
    with with_budgets(tmp_path, *budgets) as rig:
        statuses = [rig.chat().status_code for _ in range(3)]
        other = rig.issue_key("other", team="platform")
        wait_until(lambda: rig.chat(headers={"authorization": f"Bearer {other}"}).status_code == 200)

        assert statuses == [200, 402, 402]
        assert sorted(spent for spent, _ in rig.levels().values()) == [1, 1, 2]  # what was refused took from no budget


@pytest.mark.parametrize("limit", [{"limit_calls": 1}, {"limit_effective_tokens": 250}])
def test_every_task_has_a_budget_for_its_life(tmp_path, limit):
    with with_budgets(tmp_path, {"per": "task"} | limit) as rig:
        tasks = ["PR-1", "PR-1", "PR-2", "", ""]

        statuses = [rig.chat(headers={"x-modicum-task": task} if task else {}).status_code for task in tasks]

        assert statuses == [200, 402, 200, 200, 402]


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_without_a_price_is_refused_by_a_hard_budget_in_dollars_and_made_by_others(tmp_path, stream):
    unpriced = {"model": "gpt-nobody-knows", "stream": stream}
    with with_budgets(tmp_path, {"limit_usd": 100.0}) as rig:
        refused = rig.chat(**unpriced)

        assert refused.status_code == 402
        assert "no price is known for this model: give it one in prices.toml" in error_of(refused)["message"]
        assert rig.asked == []
        rig.budgets = [BudgetSettings(name="a", per="day", limit_usd=1.0, at_limit="alert")]
        rig.budgets.append(BudgetSettings(name="b", per="day", limit_calls=2))
        rig.restart()
        assert rig.chat(**unpriced).status_code == 200


def test_a_request_that_nothing_bounds_is_refused_by_a_hard_budget(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 1e6}) as rig:
        reply = rig.chat(web_search_options={})

        assert reply.status_code == 402
        assert "'web_search_options'" in error_of(reply)["message"]


def test_a_stream_is_reserved_and_settled_as_any_call(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 0.0003}) as rig:
        final = {"usage": {"prompt_tokens": 20, "completion_tokens": 200, "total_tokens": 220}}
        rig.answers = events(chunk({"content": "Paris"}), chunk(finish="stop"), chunk() | final, named=False, done=True)
        first, second = rig.chat(200, stream=True), rig.chat(200, stream=True)

        assert (first.status_code, second.status_code) == (200, 402)
        assert LEFT in first.headers
        assert rig.spent() == nano(gpt_4o_mini_usd(20, 200))


def test_a_stream_that_breaks_off_counts_with_its_estimate(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 1.0}) as rig:
        rig.answers = Answer(json.dumps(chunk()).encode()[:-5], kind="text/event-stream")
        rig.chat(stream=True)
        (entry,) = rig.ledger.entries()

        assert entry.cost.usd is not None
        assert (rig.spent(), rig.reserved()) == (nano(entry.cost.usd), 0)


def test_a_reply_without_usage_that_nobody_can_price_counts_with_the_whole_reservation(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 1.0}) as rig:
        rig.answers = Answer(b"\x00\x01", status=504)
        rig.chat(100)
        (entry,) = rig.ledger.entries()
        reserved = int(entry.call.tags[RESERVED_TAG].partition("/")[0])

        assert entry.cost.usd is None
        assert reserved > nano(gpt_4o_mini_usd(0, 100))
        assert rig.spent() == reserved
        rig.restart()
        rig.answers = chat_reply()
        rig.chat()
        assert rig.spent() == reserved + nano(gpt_4o_mini_usd(10, 10))  # and after a restart too


def test_a_background_response_counts_with_its_reservation_until_somebody_reads_it(tmp_path):
    response = {"id": "resp_" + "a" * 48, "object": "response", "background": True, "model": "gpt-5", "usage": None}
    with with_budgets(tmp_path, {"limit_usd": 10.0}, {"name": "slides", "per": "5h", "limit_usd": 10.0}) as rig:
        rig.answers = whole(response | {"status": "queued", "output": []})
        rig.call("responses", input="hi", background=True, max_output_tokens=1000)
        kept = rig.spent()
        usage = {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}
        rig.answers = whole(response | {"status": "completed", "output": [], "usage": usage})
        httpx.get(f"{rig.url}/v1/responses/{response['id']}", headers=rig.headers())
        (entry,) = rig.ledger.entries()

        assert kept >= 2 * 1000 * 10_000  # a thousand tokens at ten dollars a million, on both
        assert rig.spent() == 2 * nano(entry.cost.usd)


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503, 529])
def test_what_a_provider_refuses_costs_nothing(tmp_path, status):
    with with_budgets(tmp_path, {"limit_usd": 1.0}) as rig:
        rig.answers = whole({"error": {"message": "no", "type": "x"}}, status)
        rig.chat(100)
        (entry,) = rig.ledger.entries()

        assert (rig.spent(), rig.reserved()) == (0, 0)
        assert RESERVED_TAG not in entry.call.tags


def test_an_upstream_that_is_not_there_costs_nothing(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 1.0}) as rig:
        rig.loop.call_soon_threadsafe(rig.provider.server.close)
        wait_until(lambda: not rig.provider.server.is_serving())
        assert rig.chat().status_code == 502

        assert (rig.spent(), rig.reserved()) == (0, 0)


def test_from_its_share_on_a_budget_sends_calls_to_the_cheaper_model(tmp_path):
    cheaper = {"limit_usd": 0.012, "at_limit": "downgrade", "downgrade_to": "fast", "downgrade_from": 0.5}
    with with_budgets(tmp_path, cheaper) as rig:
        rig.answers = lambda request: chat_reply(100, 10, model=request["model"])
        replies = [rig.chat(300, model="gpt-4o") for _ in range(4)]
        models = [request["model"] for request in rig.asked]

        assert models[0] == "gpt-4o"
        assert models[-1] == "gpt-4o-mini"
        assert "x-modicum-downgraded-to" not in replies[0].headers
        assert replies[-1].headers["x-modicum-downgraded-to"] == "gpt-4o-mini"
        last = rig.wait_for_records(4)[-1]
        assert (last.model, last.edits[0].rule) == ("gpt-4o-mini", "budget")


@pytest.mark.parametrize(("limit_usd", "status"), [(0.001, 402), (1.0, 200)])
def test_a_rule_that_changes_the_model_has_the_reservation_exchanged(tmp_path, limit_usd, status):
    dearer = Rule("toy.model", lambda prompt, facts: Change(model="gpt-4o", why="dearer"))  # noqa: ARG005
    with with_budgets(tmp_path, {"limit_usd": limit_usd}, rules=(dearer,)) as rig:
        rig.answers = lambda request: chat_reply(model=request["model"])
        reply = rig.chat(100)
        (entry,) = rig.ledger.entries()

        assert reply.status_code == status
        assert [request["model"] for request in rig.asked] == (["gpt-4o"] if status == 200 else [])
        assert (rig.spent(), rig.reserved()) == (nano(entry.cost.usd or 0), 0)
        assert (RESERVED_TAG in entry.call.tags) == (status == 200)


def test_rules_know_what_the_tightest_budget_in_dollars_has_for_a_call(tmp_path):
    known = []
    rule = Rule("toy.left", lambda prompt, facts: known.append(facts.budget_left_usd))  # noqa: ARG005
    budgets = {"limit_usd": 1.0}, {"name": "wide", "limit_usd": 5.0}, {"name": "calls", "limit_calls": 1000}
    with with_budgets(tmp_path, *budgets, rules=(rule,)) as rig:
        rig.chat()
        rig.chat()

    assert known == [1, 1 - gpt_4o_mini_usd(10, 10)]


def test_a_key_that_may_not_use_the_cheaper_model_is_refused(tmp_path):
    cheaper = {"limit_usd": 1.0, "at_limit": "downgrade", "downgrade_to": "gpt-4o-mini", "downgrade_from": 0.0}
    with with_budgets(tmp_path, cheaper) as rig:
        narrow = rig.issue_key("narrow", models=("gpt-4o",))
        wait_until(lambda: rig.chat(model="x", headers={"authorization": f"Bearer {narrow}"}).status_code == 403)
        reply = rig.chat(model="gpt-4o", headers={"authorization": f"Bearer {narrow}"})

        assert reply.status_code == 402
        assert "this key may not use this model" in error_of(reply)["message"]


def test_an_alert_lets_calls_pass_and_says_once_that_it_was_crossed(tmp_path, capfd):
    with with_budgets(tmp_path, {"limit_calls": 1, "at_limit": "alert"}) as rig:
        statuses = [rig.chat().status_code for _ in range(3)]

    assert statuses == [200] * 3
    assert capfd.readouterr().err.count('"event":"budget_crossed"') == 1


def test_after_a_restart_spent_sums_come_from_ledger_and_journal(tmp_path):
    budgets = {"name": "month", "per": "month", "limit_usd": 1.0}, {"name": "five", "per": "5h", "limit_calls": 50}
    with with_budgets(tmp_path, *budgets, {"name": "each", "per": "ever", "task": "*", "limit_calls": 9}) as rig:
        for task in ("a", "a", "b"):
            rig.chat(headers={"x-modicum-task": task})
        before = sorted(rig.levels().values())
        rig.restart()
        rig.chat(headers={"x-modicum-task": "a"})
        after = sorted(rig.levels().values())

        assert before == [(1, 0), (2, 0), (3, 0), (3 * nano(gpt_4o_mini_usd(10, 10)), 0)]
        assert after == [(1, 0), (3, 0), (4, 0), (4 * nano(gpt_4o_mini_usd(10, 10)), 0)]


def test_while_the_ledger_is_away_after_a_restart_hard_budgets_wait_and_others_do_not(tmp_path, monkeypatch):
    monkeypatch.setattr("modicum.gateway.budgets.spent.WITHIN_S", 0.1)
    with with_budgets(tmp_path, {"limit_calls": 2}) as rig:
        rig.chat()
        rig.stop()  # nothing is shipped
        rig.start()
        refused = rig.chat()

        assert (refused.status_code, error_of(refused)["code"]) == (503, "budget_unknown")
        assert refused.headers["retry-after"] == "2"
        rig.ledger.ship()
        assert [rig.chat().status_code for _ in range(2)] == [200, 402]


def test_a_ledger_that_fails_in_a_way_nobody_thought_of_is_one_that_is_not_known(tmp_path):
    with with_budgets(tmp_path, {"limit_calls": 2}, {"name": "soft", "limit_calls": 1, "at_limit": "alert"}) as rig:
        before = rig.gateway.parts.budgets._former._before
        find, before.find = before.find, lambda *_: 1 / 0
        refused = rig.chat()
        before.find = find

        assert (refused.status_code, error_of(refused)["code"]) == (503, "budget_unknown")
        assert rig.chat().status_code == 200


def test_a_call_that_was_under_way_at_a_crash_counts_with_its_whole_reservation(tmp_path):
    """The record of a call that begins holds what is reserved for it; a later process books it as unknown."""
    with with_budgets(tmp_path, {"limit_usd": 1.0}) as rig:
        rig.provider.reply = hang_up
        rig.chat(100)
        (entry,) = rig.ledger.entries()

        assert entry.cost.usd is None
        assert rig.spent() == int(entry.call.tags[RESERVED_TAG].partition("/")[0]) > 0


async def hang_up(*_given):
    return False


def test_a_callers_tag_cannot_speak_of_reservations(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 1.0, "team": "other"}) as rig:
        rig.chat(
            headers={
                f"x-modicum-tag-{RESERVED_TAG}": "0/0",
                "x-modicum-tag-env": "prod",
                f"x-modicum-tag-{COUNTED_TAG}": "g",
            }
        )

        assert rig.wait_for_records(1)[0].tags == {"env": "prod"}


def test_a_raised_limit_goes_on_counting_and_a_lowered_one_has_nothing_left(tmp_path):
    with with_budgets(tmp_path, {"limit_calls": 1}) as rig:
        first = [rig.chat().status_code for _ in range(2)]
        for limit in (2, 1):
            rig.budgets = [BudgetSettings(name="all", per="day", limit_calls=limit)]
            asyncio.run_coroutine_threadsafe(rig.gateway._reload(), rig.loop).result()
            wait_until(lambda limit=limit: rig.gateway.parts.budgets._budgets[0].budget.limit == limit)
            first.append(rig.chat().status_code)

        assert first == [200, 402, 200, 402]


def test_a_budget_that_is_added_counts_what_was_spent_before_it(tmp_path):
    with with_budgets(tmp_path, {"limit_calls": 100}) as rig:
        rig.chat()
        rig.ledger.ship()
        rig.budgets = [*rig.budgets, BudgetSettings(name="new", per="month", limit_calls=2)]
        asyncio.run_coroutine_threadsafe(rig.gateway._reload(), rig.loop).result()
        wait_until(lambda: len(rig.gateway.parts.budgets._budgets) == 2)

        assert [rig.chat().status_code for _ in range(2)] == [200, 402]


def test_a_budget_that_was_taken_out_and_comes_again_knows_what_was_spent_meanwhile(tmp_path):
    with with_budgets(tmp_path, {"limit_calls": 3}) as rig:
        rig.chat()
        for budgets in ([], rig.budgets):
            rig.budgets = budgets
            asyncio.run_coroutine_threadsafe(rig.gateway._reload(), rig.loop).result()
            wait_until(lambda active=bool(budgets): rig.gateway.parts.budgets.is_active == active)
            if not budgets:
                rig.chat()
        rig.ledger.ship()

        assert [rig.chat().status_code for _ in range(2)] == [200, 402]


def test_without_budgets_nothing_is_said_of_them(tmp_path):
    with with_budgets(tmp_path) as rig:
        assert LEFT not in rig.chat().headers
        assert not rig.gateway.parts.budgets.is_active


def test_anthropics_streams_say_what_is_left(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 1.0}) as rig:
        usage = {"input_tokens": 20, "output_tokens": 1}
        rig.answers = anthropic_stream(usage, {"output_tokens": 9})
        reply = rig.call("anthropic", stream=True)
        (entry,) = rig.ledger.entries()

        assert reply.headers[LEFT].startswith("all; usd=0.99")
        assert rig.spent() == nano(entry.cost.usd)
