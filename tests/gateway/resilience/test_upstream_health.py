import asyncio
import secrets
from contextlib import suppress

import pytest

from modicum.gateway.http.refusal import Refused
from modicum.gateway.resilience.upstream_health import MOST_REST_S, MOST_RESTS, UpstreamHealth
from modicum.gateway.upstreams import Route, Upstream
from modicum.governance.resilience import MOST_SAVED_RETRIES, Failure, FailureKind
from modicum.settings import UpstreamSettings
from modicum.state.counters import StateAway
from modicum.state.memory import MemoryCounters
from modicum.state.redis import RedisCounters
from state.server import running_server


@pytest.fixture(scope="module")
def server():
    with running_server() as server:
        yield server


def upstream(name="a", **more):
    return Upstream(name, UpstreamSettings(url="http://127.0.0.1:1/v1", speaks="openai", **more), "")


@pytest.fixture
def runner():
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(params=["memory", "redis"])
def workers(request, runner):
    """Two gateway processes that share a state, and the changes of circuits that each has seen."""
    if request.param == "memory":
        values = [MemoryCounters()] * 2
    else:
        url, prefix = request.getfixturevalue("server").url, secrets.token_hex(4)
        values = [RedisCounters(url, f"host/{name}", prefix, grace_s=0) for name in "ab"]
        for one in values:
            runner.run(one.start())
    changes = [], []
    yield [
        (UpstreamHealth(lambda *change, seen=seen: seen.append(change), values=one), seen)
        for one, seen in zip(values, changes, strict=True)
    ]
    for one in values:
        runner.run(one.close())


def test_an_upstream_without_a_circuit_is_never_refused_nor_remembered(runner):
    health = UpstreamHealth()
    for _ in range(100):
        assert runner.run(health.check(upstream())) is False
        runner.run(health.record(upstream(), failed=True, was_probe=False))
    assert health._known == {}


def test_a_circuit_is_open_for_all_workers_and_one_call_of_all_tries_whether_it_is_well_again(workers, runner):
    (first, seen), (second, seen_too) = workers
    weak = {"circuit_share": 1.0, "circuit_calls": 2, "circuit_open_s": 0.05}
    for health in (first, second):  # one failure at each
        runner.run(health.record(upstream(**weak), failed=True, was_probe=False))
    for health in (first, second):
        with pytest.raises(Refused, match="circuit_share") as refused:
            runner.run(health.check(upstream(**weak)))
        assert (refused.value.kind, refused.value.retry_after_s) == ("upstream_open", 1)
    runner.run(first.check(upstream("b", circuit_share=1.0)))
    assert (first.open_circuits, second.open_circuits) == (["a"], ["a"])

    async def try_until_probe():
        while True:
            for health, other in ((first, second), (second, first)):
                with suppress(Refused):
                    return health, other, await health.check(upstream(**weak))

    tries, waits, is_probe = runner.run(try_until_probe())
    assert is_probe
    with pytest.raises(Refused):
        runner.run(waits.check(upstream(**weak)))
    runner.run(tries.record(upstream(**weak), failed=False, was_probe=True))
    assert runner.run(waits.check(upstream(**weak))) is False
    assert seen == seen_too == [("a", True), ("a", False)]


def test_an_upstream_made_anew_by_a_reload_has_the_circuit_of_the_former_one(runner):
    health = UpstreamHealth(clock=lambda: 0.0)
    for _ in range(2):
        runner.run(health.record(upstream(circuit_share=1.0, circuit_calls=2), failed=True, was_probe=False))
    with pytest.raises(Refused) as refused:
        runner.run(health.check(upstream(circuit_share=1.0, circuit_calls=2)))
    assert refused.value.retry_after_s == 10


def test_calls_of_all_workers_earn_retries_up_to_a_bound_and_spend_them(workers, runner):
    (first, _), (second, _) = workers
    assert runner.run(first.saved_retries(upstream())) == MOST_SAVED_RETRIES
    runner.run(second.earn(upstream(retry_share=0.5)))
    for _ in range(5):
        runner.run(first.spend_retry(upstream()))
        runner.run(second.spend_retry(upstream()))
    assert runner.run(second.saved_retries(upstream())) == 0
    runner.run(first.earn(upstream(retry_share=0.5)))
    assert runner.run(second.saved_retries(upstream())) == 0.5


class Away:
    async def change(self, *_):
        raise StateAway


def test_while_the_state_is_away_a_worker_goes_by_what_it_sees_itself(runner):
    health = UpstreamHealth(values=Away())
    weak = upstream(circuit_share=1.0, circuit_calls=1)
    assert runner.run(health.check(weak)) is False
    runner.run(health.record(weak, failed=True, was_probe=False))
    with pytest.raises(Refused):
        runner.run(health.check(weak))


def test_a_value_of_another_version_is_as_if_nothing_were_known(runner):
    values = MemoryCounters()
    runner.run(values.change("upstream|a", lambda _former, _now_s: b"\xc1", 1.0))
    assert runner.run(UpstreamHealth(values=values).saved_retries(upstream())) == MOST_SAVED_RETRIES


def test_a_rest_is_of_one_model_and_ends_and_is_bounded():
    now = [0.0]
    health = UpstreamHealth(clock=lambda: now[0])
    route, other = Route(upstream(), "openai-chat", "m"), Route(upstream(), "openai-chat", "n")
    health.rest(route, Failure(FailureKind.RATE_LIMITED, 1e9))
    assert (health.rests_s(route), health.rests_s(other)) == (MOST_REST_S, 0.0)
    now[0] = MOST_REST_S
    assert health.rests_s(route) == 0.0
    for number in range(MOST_RESTS + 10):
        health.rest(route._replace(model=f"m{number}"), Failure(FailureKind.RATE_LIMITED, 5.0))
    assert len(health._rests) == MOST_RESTS
