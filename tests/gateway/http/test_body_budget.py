"""Room for bodies: never more than is set, given back once on every way out, and nobody waits for it."""

import gzip
import json
import socket
import time
from contextlib import ExitStack

import httpx2 as httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rig import CHAT, running, usual
from modicum.gateway.http.body_budget import MEBIBYTE, BodyBudget, budget_of
from modicum.gateway.http.refusal import Refused

LARGE = CHAT | {"messages": [{"role": "user", "content": "a" * 900_000}]}


@given(
    st.integers(1, 100),
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["take", "end", "fail"]), st.integers(0, 60)), max_size=60),
)
def test_what_is_held_is_the_sum_of_what_lives_and_never_more_than_is_set(most, steps):
    budget, live = BodyBudget(most), {}

    def end(which, error):
        share, taken = live.pop(which)
        before = budget.held_bytes
        share.__exit__(type(error), error, None)
        share.__exit__(None, None, None)  # leaving twice gives nothing back twice
        assert budget.held_bytes == before - taken

    for which, what, size in steps:
        if what != "take":
            if which in live:
                end(which, ValueError() if what == "fail" else None)
            continue
        share, taken = live.get(which) or (budget.share(), 0)
        fits = budget.held_bytes + size <= most
        if fits:
            share.take(size)
            live[which] = share, taken + size
        else:
            live[which] = share, taken
            with pytest.raises(Refused, match="too many bytes") as refusal:
                share.take(size)
            end(which, refusal.value)
        assert budget.held_bytes == sum(taken for _, taken in live.values()) <= most

    for which in list(live):
        end(which, None)
    assert budget.held_bytes == 0


def test_without_a_setting_it_is_an_eighth_of_the_memory_and_room_for_one_body_at_least():
    assert budget_of(0, 64, 1, 8192 * MEBIBYTE).most_bytes == 1024 * MEBIBYTE
    assert budget_of(0, 64, 4, 8192 * MEBIBYTE).most_bytes == 256 * MEBIBYTE
    assert budget_of(0, 64, 4, 512 * MEBIBYTE).most_bytes == 64 * MEBIBYTE
    assert budget_of(300, 64, 2, 512 * MEBIBYTE).most_bytes == 150 * MEBIBYTE


@pytest.fixture
def narrow(tmp_path):
    """A gateway with room for two bodies of the largest size."""
    with running(tmp_path, usual(most_body_mb=1, most_bodies_mb=2, slow_client_s=2.0)) as rig, ExitStack() as rig.lines:
        yield rig


def begin(rig, length, path="/v1/chat/completions", sent=b"", **headers):
    """A request whose body comes slowly, or never."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in (rig.headers(**headers)).items())
    line = rig.lines.enter_context(socket.create_connection(("127.0.0.1", rig.gateway.server.port), timeout=10))
    line.sendall(f"POST {path} HTTP/1.1\r\nhost: localhost\r\n{lines}content-length: {length}\r\n\r\n".encode() + sent)
    return line


def held(rig):
    return rig.gateway.parts.bodies.held_bytes


def eventually(condition, seconds=10.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def post(rig, told, **headers):
    return httpx.post(f"{rig.url}/v1/chat/completions", json=told, headers=rig.headers(**headers), timeout=10)


def test_who_finds_no_room_is_refused_at_once_and_slow_bodies_hold_theirs_for_a_time(narrow):
    slow = [begin(narrow, 1_000_000, sent=b"{" + b" " * 999_000) for _ in range(2)]
    eventually(lambda: held(narrow) == 2 * 999_001)

    announced, small = post(narrow, LARGE), post(narrow, CHAT)

    assert (announced.status_code, announced.json()["error"]["code"]) == (503, "bodies_full")
    assert announced.headers["retry-after"] == "1"
    assert small.status_code == 200
    assert held(narrow) == 2 * 999_001
    assert [b" 408 " in line.recv(100) for line in slow] == [True, True]  # slow_client_s
    assert held(narrow) == 0
    assert post(narrow, LARGE).status_code == 200


def test_bodies_count_as_long_as_their_calls_are_under_way_and_as_they_are_unpacked(narrow):
    data = json.dumps(LARGE).encode()
    holding = [begin(narrow, len(data), sent=data, x_fault="hold") for _ in range(2)]
    eventually(lambda: len(narrow.provider.asked) == 2)

    packed = gzip.compress(data)
    chunked = httpx.post(
        f"{narrow.url}/v1/chat/completions", content=iter([data]), headers=narrow.headers(), timeout=10
    )
    unpacked = httpx.post(
        f"{narrow.url}/v1/chat/completions", content=packed, headers=narrow.headers(content_encoding="gzip")
    )

    assert len(packed) < 10_000
    assert [reply.json()["error"]["code"] for reply in (chunked, unpacked)] == ["bodies_full"] * 2
    assert held(narrow) == 2 * len(data)
    metrics = httpx.get(f"{narrow.url}/metrics").text
    assert "modicum_request_bytes_limit 2.097152e+06" in metrics
    assert 'modicum_refused_total{kind="bodies_full"} 2.0' in metrics
    narrow.release()
    assert [b" 200 " in line.recv(100) for line in holding] == [True, True]
    eventually(lambda: held(narrow) == 0)


ENDINGS = {
    "served": lambda rig: post(rig, CHAT),
    "no key": lambda rig: httpx.post(f"{rig.url}/v1/chat/completions", json=LARGE),
    "no such model": lambda rig: post(rig, LARGE | {"model": "nobody-serves-this"}),
    "no JSON": lambda rig: post(rig, ["x"]),
    "too large": lambda rig: post(rig, CHAT | {"x": "a" * 1_100_000}),
    "upstream hangs up": lambda rig: post(rig, LARGE, x_fault="hang_up"),
    "upstream breaks off": lambda rig: post(rig, LARGE, x_fault="broken_off"),
    "upstream errs": lambda rig: post(rig, LARGE, x_status="500"),
    "bad gzip": lambda rig: post(rig, LARGE, content_encoding="gzip"),
    "gzip unpacks to too much": lambda rig: httpx.post(
        f"{rig.url}/v1/chat/completions",
        content=gzip.compress(bytes(3_000_000)),
        headers=rig.headers(content_encoding="gzip"),
    ),
    "leaves within the body": lambda rig: begin(rig, 1_000_000, sent=b"{" * 500_000).close(),
    "leaves within the reply": lambda rig: begin(rig, len(DATA), sent=DATA, x_fault="hold").close(),
    "outcome": lambda rig: httpx.post(f"{rig.url}/outcomes", json={"task": "t", "name": "n"}, headers=rig.headers()),
    "spans": lambda rig: httpx.post(f"{rig.url}/v1/traces", content=b"{" * 100_000, headers=rig.headers()),
    "aside": lambda rig: httpx.post(
        f"{rig.url}/v1/messages/count_tokens", json=LARGE | {"model": "claude-x"}, headers=rig.headers()
    ),
}
DATA = json.dumps(LARGE).encode()


@pytest.mark.parametrize("ending", ENDINGS)
def test_room_is_given_back_however_a_request_ends(narrow, ending):
    taken = []
    budget = narrow.gateway.parts.bodies
    share = budget.share

    def counted():
        made = share()
        taken.append(made)
        return made

    budget.share = counted
    ENDINGS[ending](narrow)

    eventually(lambda: taken and all(not one._bytes for one in taken) and not narrow.gateway.server.server_state.tasks)
    assert budget.held_bytes == 0
