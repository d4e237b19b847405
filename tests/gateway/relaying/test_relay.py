"""Paths that nobody meters: passed on, on record with unknown cost, and refused under a hard budget."""

import hashlib
import socket
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import msgspec
import pytest

from gateway.budgets.budget_rig import BudgetRig
from gateway.relaying.relay_rig import PIECE, FileProvider
from gateway.rig import usual, wait_until
from modicum.calls import Basis, CallStatus
from modicum.settings import BudgetSettings

MB = 1024 * 1024
JOBS = "/v1/fine_tuning/jobs"


BUDGETS = (
    BudgetSettings(name="hard", limit_usd=5.0, per="month", team="frugal"),
    BudgetSettings(name="soft", limit_usd=5.0, per="month", team="alerted", at_limit="alert"),
)


def settings(port, **openai):
    base = usual(slow_client_s=2.0, most_upload_mb=256)(port)
    upstreams = {**base.upstreams, "openai": msgspec.structs.replace(base.upstreams["openai"], **openai)}
    return msgspec.structs.replace(base, upstreams=upstreams)


@contextmanager
def serving(folder, **openai):
    rig = BudgetRig(folder, BUDGETS, lambda port: settings(port, **openai))
    rig.provider = FileProvider()
    rig.start()
    try:
        yield rig
    finally:
        rig.release()
        rig.stop()


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("relay")) as rig:
        rig.frugal = rig.issue_key("frugal", team="frugal")
        rig.alerted = rig.issue_key("alerted", team="alerted")
        rig.limited = rig.issue_key("limited", models=("gpt-*",))
        rig.chosen = rig.issue_key("chosen", models=("gpt-*", "path:/v1/fine_tuning/*"))
        wait_until(lambda: ask(rig, "GET", JOBS, key=rig.chosen).status_code == 200)
        yield rig


def ask(rig, method, path, key="", **more):
    headers = {"authorization": f"Bearer {key or rig.key}"} | more.pop("headers", {})
    return httpx.request(method, f"{rig.url}{path}", headers=headers, timeout=20, **more)


def test_a_call_that_nobody_meters_passes_and_its_cost_is_unknown(rig):
    before = len(rig.records())

    reply = ask(
        rig, "POST", f"{JOBS}?limit=2&key=&api-version=9", json={"model": "gpt-4o"}, headers={"x-modicum-task": "T"}
    )

    assert (reply.status_code, reply.json()["bytes"]) == (200, len(b'{"model":"gpt-4o"}'))
    line, headers, _ = rig.provider.asked[-1]
    assert line == f"POST {JOBS}?limit=2 HTTP/1.1"
    assert "authorization" not in headers  # no key is set for that upstream, and the caller's stays here
    call = rig.wait_for_records(before + 1)[-1]
    assert (call.model, call.task, call.owner.team) == ("path:/v1/fine_tuning/jobs", "T", "platform")
    assert (call.status, call.usage_basis, call.output_basis) == (CallStatus.OK, Basis.UNKNOWN, Basis.UNKNOWN)
    entry = next(entry for entry in rig.shipped() if entry.call.call_id == call.call_id)
    assert (entry.cost.usd, entry.cost.basis) == (None, Basis.UNKNOWN)


def test_what_reads_or_removes_passes_and_is_no_call(rig):
    before = len(rig.records())

    assert ask(rig, "GET", f"{JOBS}/ftjob-1?after=x").is_success
    assert rig.provider.asked[-1][0] == f"GET {JOBS}/ftjob-1?after=x HTTP/1.1"
    assert ask(rig, "DELETE", "/v1/assistants/asst_1").is_success
    assert rig.provider.asked[-1][0].startswith("DELETE ")
    assert len(rig.records()) == before


def test_an_owner_with_a_hard_budget_is_refused_and_told_what_to_do(rig):
    count = len(rig.provider.asked)

    reply = ask(rig, "POST", JOBS, key=rig.frugal, json={})

    assert reply.status_code == 402
    error = reply.json()["error"]
    assert error["code"] == "budget_unpriced"
    assert {"'hard'", JOBS, "at_limit"} <= {word for word in ("'hard'", JOBS, "at_limit") if word in error["message"]}
    assert len(rig.provider.asked) == count
    assert ask(rig, "GET", JOBS, key=rig.frugal).is_success
    assert ask(rig, "POST", JOBS, key=rig.alerted, json={}).is_success


def test_a_key_for_some_models_opens_only_paths_that_it_names(rig):
    replies = [ask(rig, method, JOBS, key=rig.limited) for method in ("GET", "POST")]

    assert [reply.json()["error"]["code"] for reply in replies] == ["model_not_allowed"] * 2
    assert ask(rig, "POST", JOBS, key=rig.chosen, json={}).is_success


def test_settings_say_which_paths_pass(tmp_path):
    with serving(tmp_path, other_paths=("/v1/fine_tuning/*",)) as rig:
        replies = [ask(rig, method, path) for path in (JOBS, "/v1/evals") for method in ("GET", "POST")]

        assert [reply.status_code for reply in replies] == [200, 200, 404, 404]
        assert "upstreams.openai.other_paths" in replies[3].json()["error"]["message"]


def test_a_file_of_200_mb_passes_both_ways_and_is_never_held(rig):
    size, sizes = 200 * MB, []
    rig.provider.on_piece = lambda count: sizes.append(resident_mb()) if count % (8 * MB) < len(PIECE) else None
    before, digest = resident_mb(), hashlib.sha256()
    for _ in range(size // len(PIECE)):
        digest.update(PIECE)

    reply = ask(rig, "POST", "/v1/things/u_1/parts", content=pieces(size), headers={"content-length": str(size)})

    assert reply.json()["bytes"] == size
    assert rig.provider.digests[-1] == digest.hexdigest()
    assert len(sizes) > 20
    assert max(sizes) - before < 24  # a body that is held takes its size at least

    with httpx.stream("GET", f"{rig.url}/v1/bytes/{size}", headers=rig.headers(), timeout=30) as stream:
        read, peak = 0, before
        for piece in stream.iter_raw():
            read += len(piece)
            peak = max(peak, resident_mb()) if read % (8 * MB) < len(piece) else peak
    assert read == size
    assert peak - before < 24


def pieces(size):
    for _ in range(size // len(PIECE)):
        yield PIECE


def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / MB


def test_a_body_without_a_length_goes_on_in_chunks(rig):
    reply = ask(rig, "POST", "/v1/things/u_1/parts", content=pieces(4 * MB))

    assert reply.json()["bytes"] == 4 * MB
    assert rig.provider.asked[-1][1]["transfer-encoding"] == "chunked"


def test_an_upload_that_is_too_large_is_refused(rig):
    count = len(rig.provider.lengths)
    refused = raw(rig, b"content-length: %d" % (300 * MB))
    assert (refused.split(b" ")[1], b"most_upload_mb" in refused) == (b"413", True)
    assert len(rig.provider.lengths) == count


def raw(rig, length):
    with socket.create_connection(("127.0.0.1", rig.gateway.server.port), timeout=10) as caller:
        key = rig.key.encode()
        caller.sendall(
            b"POST /v1/things/u_1/parts HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer %b\r\n%b\r\n\r\n"
            % (key, length)
        )
        return caller.recv(4096)


def test_an_upstream_that_answers_early_is_heard_and_gets_no_more(rig):
    reply = ask(rig, "POST", "/v1/early", content=pieces(8 * MB), headers={"content-length": str(8 * MB)})

    assert reply.status_code == 413


def test_a_caller_that_leaves_or_falls_silent_in_its_upload_is_on_record(rig):
    before = len(rig.records())
    with socket.create_connection(("127.0.0.1", rig.gateway.server.port)) as caller:
        caller.sendall(
            b"POST /v1/things/u_1/parts HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer %b\r\n"
            b"content-length: %d\r\n\r\n" % (rig.key.encode(), 4 * MB) + b"x" * MB
        )
        wait_until(lambda: "things/u_1" in rig.provider.asked[-1][0])
    call = rig.wait_for_records(before + 1)[-1]
    assert (call.status, call.usage_basis) == (CallStatus.ABORTED, Basis.UNKNOWN)
