"""Keys of two hosts that share a server: a real one, and one that answers oddly."""

import asyncio
import secrets
import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from gateway.budgets.test_shared import short_grace, two_gateways  # noqa: F401 - a fixture
from gateway.rig import DIGEST_KEY, wait_until
from modicum.calls import Owner
from modicum.gateway.callers.shared_events import SharedEvents
from modicum.governance.keys import KeyEvent, Keys, issue, revoke
from modicum.ledger.events import EventFile
from modicum.state.counters import StateAway
from modicum.state.redis import RedisCounters
from state.server import running_server

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def server():
    with running_server() as server:
        yield server


class Host:
    def __init__(self, folder, name, url, prefix):
        self.events = EventFile(folder / name / "events.sqlite")
        self.counters = RedisCounters(url, name, prefix, grace_s=0)
        self.shared = SharedEvents(self.events.path, self.counters)

    def issue(self, name):
        key, event = issue(Owner(key=name), (), NOW, "ann", DIGEST_KEY)
        self.events.append("key", event)
        return key

    def revoke(self, name):
        self.events.append("key", revoke(self.keys, name, NOW, "bob"))

    @property
    def keys(self):
        return Keys(self.events.read("key", KeyEvent))

    def names(self):
        return {one.owner.key for one in self.keys.in_force()}

    async def exchange(self):
        return await self.shared.exchange(self.events)


def with_hosts(folder, url, steps, count=2):
    async def run():
        prefix = secrets.token_hex(4)
        hosts = [Host(folder, f"host{number}", url, prefix) for number in range(count)]
        for host in hosts:
            await host.counters.start()
        try:
            return await steps(*hosts)
        finally:
            for host in hosts:
                await host.counters.close()
                host.events.close()

    return asyncio.run(run())


def test_each_host_comes_to_have_the_keys_of_all_and_their_ends(tmp_path, server):
    async def steps(one, other):
        key = one.issue("ci")
        other.issue("web")
        for host in (one, other, one):
            await host.exchange()
        both = one.names(), other.names()
        other.revoke("ci")
        other.issue("late")
        one.issue("late too")  # at the same moment: each side has as many events as before
        for host in (one, other, one, other):
            await host.exchange()
        return both, one.keys.check(key, DIGEST_KEY), one.names(), other.names(), await one.exchange()

    both, opened, of_one, of_other, more = with_hosts(tmp_path, server.url, steps)
    assert both == ({"ci", "web"}, {"ci", "web"})
    assert opened is None
    assert of_one == of_other == {"web", "late", "late too"}
    assert more == 0


def test_what_the_server_has_lost_is_handed_on_again_and_nothing_is_taken_back(tmp_path):
    async def steps(one, other):
        one.issue("ci")
        await one.exchange()
        await other.exchange()
        other.revoke("ci")
        server.kill()
        server.lose()
        with pytest.raises(StateAway):
            await one.exchange()
        server.start()
        async with asyncio.timeout(10):
            while one.names():
                for host in (one, other):
                    with suppress(StateAway):  # it may not have noticed yet
                        await host.exchange()
                await asyncio.sleep(0.01)
        return one.names(), other.names()

    with running_server() as server:
        assert with_hosts(tmp_path, server.url, steps) == (set(), set())


@pytest.mark.parametrize(
    "text", ["no json", "{}", '{"what":"revoked","key_id":"a","at":"2026-01-01T00:00:00Z","by":""}']
)
def test_what_is_no_event_of_ours_is_left_out_and_logged_once(tmp_path, server, text, capfd):
    async def steps(one, somebody):
        await somebody.counters.exchange("key", {"key:b:revoked:2026": text})
        other = [await one.exchange() for _ in range(2)]
        return other, one.events.last()

    assert with_hosts(tmp_path, server.url, steps) == ([0, 0], 0)
    assert capfd.readouterr().err.count("event_unreadable") == 1


def test_many_keys_are_handed_on(tmp_path, server):
    async def steps(one, other):
        for number in range(450):
            one.issue(f"k{number}")
        await one.exchange()
        return await other.exchange()

    assert with_hosts(tmp_path, server.url, steps) == 450


@pytest.mark.usefixtures("short_grace")
def test_a_key_that_is_revoked_on_one_gateway_is_refused_by_the_other_within_5_s(tmp_path, server):
    with two_gateways(tmp_path, server.url, {"limit_calls": 1000}) as (one, other):
        one.events = EventFile(one.folder / "events.sqlite")
        key, event = issue(Owner(key="ci"), (), NOW, "ann", DIGEST_KEY)
        one.events.append("key", event)
        for rig in (one, other):
            rig.key = key
        assert one.chat().status_code == 200
        wait_until(lambda: other.chat().status_code == 200, 10)
        one.events.append("key", revoke(Keys([event]), "ci", NOW, "bob"))
        began = time.monotonic()
        wait_until(lambda: other.chat().status_code == 401, 10)
        taken_s = time.monotonic() - began
        one.events.close()

        assert one.chat().status_code == 401
        assert taken_s < 5
