"""Budgets while clocks step, settings change and callers stop reading: limits hold, nothing stays reserved."""

import asyncio
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gateway.budgets.budget_rig import LEFT, MESSAGES, with_budgets
from gateway.rig import wait_until
from gateway.scripted import all_upstreams, chunk, events
from modicum.gateway.callers.live_keys import LiveKeys
from modicum.governance.budgets import NANO
from modicum.governance.keys import revoke
from modicum.ledger.events import EventFile
from modicum.settings import BudgetSettings


@pytest.fixture
def clock(monkeypatch):
    """The wall clock of calls; `at` sets it."""

    class Clock:
        seconds = datetime(2037, 10, 24, 22, 30, tzinfo=UTC).timestamp()  # in Berlin a day of 25 hours has begun

        def time(self):
            return self.seconds

        def step(self, **by):
            self.seconds += timedelta(**by).total_seconds()

    clock = Clock()
    monkeypatch.setattr("modicum.gateway.exchange.time", clock.time)
    return clock


def held_reply(rig):
    async def reply(*more):
        await rig.provider.hold.wait()
        return await rig._reply(*more)

    return reply


def reload_with(rig, *budgets):
    rig.budgets = [BudgetSettings(**{"name": "all", "per": "day"} | one) for one in budgets]
    return asyncio.run_coroutine_threadsafe(rig.gateway._reload(), rig.loop)


def revoke_key(rig, name):
    with closing(EventFile(rig.folder / "events.sqlite")) as events:
        events.append("key", revoke(LiveKeys(events)(), name, datetime.now(UTC), "ann"))


def statuses(rig, count):
    return [rig.chat().status_code for _ in range(count)]


def test_a_clock_that_is_set_back_and_on_again_opens_no_budget_twice(tmp_path, clock):
    with with_budgets(tmp_path, {"limit_calls": 2}) as rig:
        first = statuses(rig, 2)
        clock.step(minutes=-40)
        back = statuses(rig, 1)
        clock.step(days=1)
        tomorrow = statuses(rig, 3)
        clock.step(days=-1)
        again = statuses(rig, 1)

        assert (first, back, tomorrow, again) == ([200, 200], [402], [200, 200, 402], [402])


def test_the_hour_that_comes_twice_in_autumn_opens_no_day_twice(tmp_path, clock):
    with with_budgets(tmp_path, {"limit_calls": 3, "timezone": "Europe/Berlin"}) as rig:
        made = []
        for _ in range(26):
            made += statuses(rig, 1)
            clock.step(hours=1)

        assert made.count(200) == 4  # three of the day of 25 hours, one of the next
        assert made.index(200, 3) == 25


def test_what_yesterday_left_over_is_there_today_and_after_a_restart(tmp_path, clock):
    clock.seconds = datetime.now(UTC).timestamp()
    clock.step(days=-1)
    with with_budgets(tmp_path, {"limit_calls": 2, "rollover": 1.0}) as rig:
        yesterday = rig.chat()  # the day before had no call, so there are four in all
        rig.ledger.ship()
        clock.step(days=1)
        today = rig.chat()
        rig.restart()

        assert [reply.headers[LEFT].split("; ")[1] for reply in (yesterday, today)] == ["calls=3", "calls=2"]
        assert statuses(rig, 3) == [200, 200, 402]


def test_a_budget_that_is_lowered_below_what_runs_refuses_until_that_has_ended(tmp_path):
    with with_budgets(tmp_path, {"limit_calls": 5}) as rig, ThreadPoolExecutor(3) as pool:
        rig.provider.reply = held_reply(rig)
        calls = [pool.submit(rig.chat) for _ in range(3)]
        wait_until(lambda: rig.reserved() == 3)
        reload_with(rig, {"limit_calls": 2}).result()
        lowered = rig.chat().status_code
        rig.loop.call_soon_threadsafe(rig.provider.hold.set)

        assert lowered in {402, 429}
        assert [call.result().status_code for call in calls] == [200] * 3
        assert (rig.spent(), rig.reserved(), rig.chat().status_code) == (3, 0, 402)


@pytest.mark.parametrize("budgets", [[], [{"name": "other", "limit_calls": 9}]])
def test_a_budget_that_is_deleted_while_its_calls_run_leaves_nothing_reserved(tmp_path, budgets):
    with with_budgets(tmp_path, {"limit_calls": 2}) as rig, ThreadPoolExecutor(2) as pool:
        rig.provider.reply = held_reply(rig)
        calls = [pool.submit(rig.chat) for _ in range(2)]
        wait_until(lambda: rig.reserved() == 2)
        reload_with(rig, *budgets).result()
        rig.loop.call_soon_threadsafe(rig.provider.hold.set)

        assert [call.result().status_code for call in calls] == [200, 200]
        wait_until(lambda: rig.reserved() == 0)
        rig.ledger.ship()
        assert rig.chat().status_code == 200


def test_a_key_that_is_revoked_while_its_call_runs_has_it_counted(tmp_path):
    with with_budgets(tmp_path, {"limit_calls": 2, "key": "*"}) as rig, ThreadPoolExecutor(1) as pool:
        rig.provider.reply = held_reply(rig)
        headers = {"authorization": f"Bearer {rig.issue_key('gone')}"}
        call = pool.submit(rig.chat, headers=headers)
        wait_until(lambda: rig.reserved() == 1)
        revoke_key(rig, "gone")
        wait_until(lambda: rig.chat(headers=headers).status_code == 401)
        rig.loop.call_soon_threadsafe(rig.provider.hold.set)

        assert call.result().status_code == 200
        assert (rig.spent(), rig.reserved()) == (1, 0)


def test_of_two_reloads_at_once_the_later_one_holds_and_what_was_spent_stays(tmp_path):
    with with_budgets(tmp_path, {"limit_calls": 9}) as rig:
        first = statuses(rig, 2)
        for limit in (4, 3):
            reloads = [reload_with(rig, {"limit_calls": 7}), reload_with(rig, {"limit_calls": limit})]
            for one in reloads:
                one.result()
        (budget,) = rig.gateway.parts.budgets._budgets

        assert first == [200, 200]
        assert budget.budget.limit == 3
        assert statuses(rig, 2) == [200, 402]


def test_who_stops_reading_is_cut_and_counts_what_was_passed_on(tmp_path):
    long = events(*(chunk({"content": "x" * 60_000}) for _ in range(300)))
    with with_budgets(tmp_path, {"limit_usd": 50.0}, settings=impatient) as rig:
        rig.answers = long._replace(cut=1 << 16)
        body = json.dumps({"model": "gpt-4o-mini", "messages": MESSAGES, "max_tokens": 100_000, "stream": True})
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {rig.key}\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", rig.gateway.server.port)) as line:
            line.sendall((head + body).encode())
            (record,) = rig.wait_for_records(1, seconds=20)
        wait_until(lambda: rig.reserved() == 0)

        assert record.status.value == "aborted"
        assert 0 < rig.spent() < 50 * NANO


def impatient(port):
    settings = all_upstreams(port)
    return msgspec.structs.replace(settings, gateway=msgspec.structs.replace(settings.gateway, slow_client_s=0.3))
