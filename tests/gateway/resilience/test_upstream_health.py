import pytest

from modicum.gateway.http.refusal import Refused
from modicum.gateway.resilience.upstream_health import MOST_REST_S, MOST_RESTS, UpstreamHealth
from modicum.gateway.upstreams import Route, Upstream
from modicum.governance.resilience import MOST_SAVED_RETRIES, Failure, FailureKind
from modicum.settings import UpstreamSettings


def upstream(name="a", **more):
    return Upstream(name, UpstreamSettings(url="http://127.0.0.1:1/v1", speaks="openai", **more), "")


def test_an_upstream_without_a_circuit_is_never_refused_nor_remembered():
    health = UpstreamHealth()
    for _ in range(100):
        assert health.check(upstream()) is False
        health.record(upstream(), failed=True, was_probe=False)
    assert health._circuits == {}


def test_an_upstream_made_anew_by_a_reload_has_the_circuit_of_the_former_one():
    changes = []
    health = UpstreamHealth(lambda name, is_open: changes.append((name, is_open)), clock=lambda: 0.0)
    for _ in range(2):
        health.record(upstream(circuit_share=1.0, circuit_calls=2), failed=True, was_probe=False)
    with pytest.raises(Refused, match="circuit_share") as refused:
        health.check(upstream(circuit_share=1.0, circuit_calls=2))
    assert (refused.value.kind, refused.value.retry_after_s) == ("upstream_open", 10)
    health.check(upstream("b", circuit_share=1.0))
    assert changes == [("a", True)]


def test_calls_earn_retries_up_to_a_bound():
    health = UpstreamHealth()
    assert health.saved_retries(upstream()) == MOST_SAVED_RETRIES
    for _ in range(10):
        health.spend_retry(upstream())
    assert health.saved_retries(upstream()) == 0
    health.earn(upstream(retry_share=0.5))
    assert health.saved_retries(upstream()) == 0.5


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
