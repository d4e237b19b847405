"""Two gateways, each with a ledger of its own as on two hosts, and one server that counts for both."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from gateway.budgets.budget_rig import LEFT, with_budgets
from gateway.rig import wait_until
from modicum.settings import StateSettings
from state.server import running_server


@pytest.fixture(scope="module")
def server():
    with running_server() as server:
        yield server


@pytest.fixture
def short_grace(monkeypatch):
    """Where no server is lost, nobody has to come back first."""
    monkeypatch.setattr("modicum.state.redis.GRACE_S", 0.5)


@contextmanager
def two_gateways(folder, url, *budgets, when_away="refuse"):
    state = StateSettings(redis=url, prefix=secrets.token_hex(4), when_away=when_away)
    with (
        with_budgets(folder / "one", *budgets, state=state) as one,
        with_budgets(folder / "other", *budgets, state=state) as other,
    ):
        yield one, other


@pytest.mark.usefixtures("short_grace")
def test_a_budget_holds_across_both(tmp_path, server):
    with two_gateways(tmp_path, server.url, {"limit_calls": 30}) as (one, other), ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda number: (one, other)[number % 2].chat().status_code, range(60)))
        refused = other.chat().json()["error"]

        assert statuses.count(200) == 30
        assert len(one.asked) + len(other.asked) == 30
        assert "'all'" in refused["message"]


@pytest.mark.usefixtures("short_grace")
def test_each_says_what_both_have_left(tmp_path, server):
    with two_gateways(tmp_path, server.url, {"limit_calls": 5, "per": "ever"}) as (one, other):
        assert [rig.chat().headers[LEFT] for rig in (one, other, one)] == [f"all; calls={left}" for left in (4, 3, 2)]


@pytest.mark.usefixtures("short_grace")
def test_what_either_ledger_holds_counts_once(tmp_path, server):
    with with_budgets(tmp_path / "one", {"limit_calls": 100}) as one:
        for _ in range(3):
            one.chat()
        one.ledger.ship()
    with two_gateways(tmp_path, server.url, {"limit_calls": 6}) as (one, other):
        statuses = [rig.chat().status_code for rig in (other, one, other, one, other)]
        one.restart()
        statuses.append(one.chat().status_code)

    assert statuses == [200, 200, 200, 402, 402, 402]


@pytest.mark.parametrize(("when_away", "then"), [("refuse", 503), ("admit", 200)])
def test_while_the_server_is_away_calls_are_refused_or_made_as_the_owner_chose(tmp_path, when_away, then, capfd):
    with (
        running_server() as server,
        two_gateways(tmp_path, server.url, {"limit_calls": 4}, when_away=when_away) as (one, other),
    ):
        statuses = [one.chat().status_code, other.chat().status_code]
        server.kill()
        away = one.chat()
        one.ledger.ship()
        other.ledger.ship()
        server.start()
        for rig in (one, other):
            wait_until(lambda rig=rig: rig.gateway.parts.budgets._counters._link.is_open, 30)
        statuses.extend(rig.chat().status_code for rig in (other, one) * 4)
        made = len(one.asked) + len(other.asked)

    assert away.status_code == then
    assert made == 4
    assert statuses[-1] == 402
    assert statuses.count(200) == (4 if when_away == "refuse" else 3)
    logged = capfd.readouterr().err
    assert "budgets_away" in logged
    assert ("admitted" in logged) == (when_away == "admit")
    assert "budgets_back" in logged


def test_a_call_under_way_when_the_server_is_killed_stays_reserved(tmp_path):
    with (
        running_server() as server,
        two_gateways(tmp_path, server.url, {"limit_calls": 1}) as (one, other),
        ThreadPoolExecutor(1) as pool,
    ):
        one.provider.reply = held_reply(one)
        call = pool.submit(one.chat)
        wait_until(lambda: one.provider.asked, 20)
        server.kill()
        server.start()
        wait_until(lambda: other.chat().status_code in {402, 429}, 30)
        one.loop.call_soon_threadsafe(one.provider.hold.set)
        status = call.result().status_code
        wait_until(lambda: other.chat().status_code == 402, 30)

        assert status == 200
        assert not other.asked


def held_reply(rig):
    async def reply(*more):
        await rig.provider.hold.wait()
        return await rig._reply(*more)

    return reply
