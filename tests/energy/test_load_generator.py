import asyncio
import random

import pytest

from energy.fake_server import FakeServer
from modicum.calls import UserError
from modicum.energy.load_generator import LoadPlan, make_random_prompt, measure_words_per_token, run_load
from modicum.outbound.client import Outbound
from modicum.outbound.hosts import AllowedHosts

RNG = random.Random(0)  # noqa: S311 - text for tests


def load(server, concurrency=3, seconds=0.4, **more):
    plan = LoadPlan(server.url, "m", 20, 10, seconds, **more)

    async def go():
        async with Outbound(AllowedHosts([server.url])) as client:
            per_token = await measure_words_per_token(client, plan, RNG)
            return per_token, await run_load(client, plan, concurrency, 10, seed=1)

    return asyncio.run(go())


@pytest.mark.parametrize("chat", [False, True])
def test_streams_stay_busy_and_their_tokens_are_seen(chat):
    with FakeServer() as server:
        per_token, run = load(server, chat=chat)

    finished = [stream for stream in run.streams if stream.finished]
    assert per_token == 0.5
    assert run.failures == 0
    assert len(finished) > 3
    assert all(stream.generated_tokens == len(stream.pieces) == 10 for stream in finished)
    assert all(stream.prompt_tokens == 20 for stream in finished)
    assert run.steady_to - run.steady_from == pytest.approx(0.4, abs=0.2)
    asked = server.asked[-1][0]
    assert asked["ignore_eos"] is True
    assert ("messages" in asked) is chat


def test_no_prompt_comes_twice():
    with FakeServer() as server:
        load(server)

    prompts = [asked["prompt"] for asked, _ in server.asked]
    assert len(set(prompts)) == len(prompts)


def test_a_few_failures_are_counted():
    with FakeServer() as server:
        plan = LoadPlan(server.url, "m", 20, 10, 0.3)

        async def go():
            async with Outbound(AllowedHosts([server.url])) as client:
                server.fail = 2
                return await run_load(client, plan, 2, 10, seed=1)

        run = asyncio.run(go())

    assert run.failures == 2
    assert any(stream.finished for stream in run.streams)


def test_a_server_that_always_fails_is_given_up(monkeypatch):
    monkeypatch.setattr("modicum.energy.load_generator.MOST_FAILURES", 2)
    with FakeServer() as server:
        plan = LoadPlan(server.url, "m", 20, 10, 5)

        async def go():
            async with Outbound(AllowedHosts([server.url])) as client:
                server.fail = 1000
                return await run_load(client, plan, 2, 10, seed=1)

        with pytest.raises(UserError, match="status 503"):
            asyncio.run(go())


def test_a_stream_without_usage_cannot_be_counted():
    with FakeServer(usage=False) as server, pytest.raises(UserError, match="without a usage record"):
        load(server)


def test_prompts_have_the_asked_for_number_of_words():
    assert len(make_random_prompt(17, RNG).split()) == 17


def test_a_server_that_closes_connections_after_each_reply_is_not_failing():
    with FakeServer(closes=True) as server:
        _, run = load(server)

    assert run.failures == 0
    assert len([stream for stream in run.streams if stream.finished]) > 3


def test_why_requests_failed_is_counted_by_reason():
    with FakeServer() as server:
        plan = LoadPlan(server.url, "m", 20, 10, 0.3)

        async def go():
            async with Outbound(AllowedHosts([server.url])) as client:
                server.fail = 2
                return await run_load(client, plan, 2, 10, seed=1)

        run = asyncio.run(go())

    assert run.failures == 2
    assert list(run.failure_reasons.values()) == [2]
    assert "answered with status 503" in next(iter(run.failure_reasons))


def test_a_stream_that_ends_without_a_usage_record_is_a_failure_that_says_so():
    with FakeServer(usage=False) as server:
        plan = LoadPlan(server.url, "m", 20, 10, 0.3)

        async def go():
            async with Outbound(AllowedHosts([server.url])) as client:
                return await run_load(client, plan, 1, 10, seed=1)

        run = asyncio.run(go())

    assert [reason for reason in run.failure_reasons if "without a usage record" in reason]
