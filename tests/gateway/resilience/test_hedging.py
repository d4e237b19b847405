"""A call that is slow is sent a second time, where somebody chose that."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import msgspec
import pytest

from gateway.resilience.failing_rig import Fault, failing
from gateway.rig import wait_until
from modicum.calls import Basis, CallStatus
from modicum.gateway.resilience.hedging import Hedge
from modicum.gateway.resilience.upstream_health import SharedHealth
from modicum.governance.budgets import NANO

SLOW = Fault("silent")
SOON = {"hedge_after_s": 0.05}


def tags_of(record):
    return {name: value for name, value in record.tags.items() if name.startswith("attempt")}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_answers_first_is_the_reply_and_both_are_on_record(tmp_path, stream):
    with failing(tmp_path, SOON, main={}) as rig:
        rig.script["main"] = [SLOW]
        reply = rig.chat(stream=stream)
        slow, call = rig.wait_for_records(2)

        assert reply.status_code == 200
        assert reply.headers["x-modicum-attempts"] == "2"
        assert rig.calls_at == ["main", "main"]
        assert rig.provider.left.wait(5)  # the first was given up
        number = reply.headers["x-modicum-call"]
        assert tags_of(slow) == {"attempt.of": number, "attempt": "1", "attempt.failed": "slow"}
        assert tags_of(call) == {"attempt.of": number, "attempt": "2", "attempt.kind": "hedge"}
        assert (slow.calls_count, slow.usage_basis) == (0, Basis.UNKNOWN)
        assert (call.calls_count, call.status, call.usage.prompt_tokens) == (1, CallStatus.OK, 10)


def test_a_call_that_answers_in_time_is_sent_once(tmp_path):
    with failing(tmp_path, {"hedge_after_s": 10}, main={}) as rig:
        assert rig.chat().status_code == 200
        assert rig.calls_at == ["main"]


def test_both_are_reserved_and_the_one_that_was_given_up_counts_with_its_worst_case(tmp_path):
    with failing(tmp_path, SOON, main={}, budgets=[{"limit_usd": 1.0}]) as rig:
        rig.chat()
        wait_until(lambda: rig.reserved() == 0)
        usual = rig.spent()
        rig.script["main"] = [SLOW]
        assert rig.chat().status_code == 200
        wait_until(lambda: rig.reserved() == 0)
        assert usual < rig.spent() - 2 * usual < NANO


def test_what_does_not_fit_twice_is_sent_once(tmp_path):
    small = {"limit_usd": 0.003}  # far from its limit, a budget would reserve the call by its bytes
    with failing(tmp_path / "once", main={}, budgets=[small]) as rig, ThreadPoolExecutor(1) as thread:
        rig.script["main"] = [SLOW]
        waiting = thread.submit(rig.chat)
        wait_until(lambda: rig.calls_at == ["main"])
        worst = rig.reserved()
        rig.release()
        waiting.result(10)
    with failing(tmp_path / "twice", SOON, main={}, budgets=[{"limit_usd": 1.5 * worst / NANO}]) as rig:
        rig.script["main"] = [SLOW]
        rig.loop.call_soon_threadsafe(rig.loop.call_later, 0.3, rig.provider.hold.set)
        assert rig.chat().status_code == 502
        assert rig.calls_at == ["main"]


class Tries:
    """Stands for connections. `ends`: which try ends, and how, one after the other."""

    def __init__(self, *ends):
        self.ends, self.closed, self.begun = ends, [], []

    async def send(self, *, sent):
        answer = SimpleNamespace(status=0, close=lambda: self.closed.append(answer))
        sent(answer)
        end = asyncio.get_running_loop().create_future()
        self.begun.append(end)
        if len(self.begun) == len({number for number, _ in self.ends}):
            asyncio.get_running_loop().create_task(self._end())
        answer.status = await end
        if answer.status == "lost":
            raise ConnectionError("lost")
        return answer

    async def _end(self):
        for number, status in self.ends:
            if not self.begun[number].done():
                self.begun[number].set_result(status)
            for _ in range(5):
                await asyncio.sleep(0)


async def yes(_exchange):
    return True


def hedged(*ends, after_s=0.0):
    exchange = SimpleNamespace(answer=None, client_gone=False)
    exchange.sent = lambda answer: setattr(exchange, "answer", answer)
    tries = Tries(*ends)
    asyncio.run(Hedge(after_s, yes).send(exchange, tries.send))
    assert exchange.answer not in tries.closed
    return exchange.answer.status, len(tries.closed), len(tries.begun)


@pytest.mark.parametrize(
    "ends",
    [
        [(1, 200), (0, 200)],
        [(0, 200), (1, 200)],  # the first, although there was a second
        [(0, 500), (1, 200)],  # a refusal is no answer while another may come
        [(0, "lost"), (1, 200)],
        [(1, 503), (0, 200)],
    ],
)
def test_the_first_that_is_fine_is_taken(ends):
    assert hedged(*ends) == (200, 1, 2)


def test_a_reply_in_time_needs_no_second():
    assert hedged((0, 200), after_s=30) == (200, 0, 1)


def test_the_last_failure_is_the_calls():
    assert hedged((0, 500), (1, 503)) == (503, 1, 2)
    with pytest.raises(ConnectionError):
        hedged((0, "lost"), (1, "lost"))


def test_a_second_try_needs_a_retry_that_was_saved(tmp_path):
    with failing(tmp_path, SOON, main={}) as rig:
        values = rig.gateway.parts.budgets.counters._values
        values["upstream|main"] = msgspec.msgpack.encode(SharedHealth(saved=0.5))
        rig.script["main"] = [SLOW]
        rig.loop.call_soon_threadsafe(rig.loop.call_later, 0.3, rig.provider.hold.set)
        assert rig.chat().status_code == 502
        assert rig.calls_at == ["main"]
