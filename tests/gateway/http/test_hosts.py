import httpx2 as httpx
import msgspec
import pytest

from gateway.process.test_server import wait_until
from gateway.rig import CHAT, running, usual
from modicum.gateway.http.hosts import names_of
from modicum.settings import GatewaySettings


@pytest.mark.parametrize(
    ("listen", "hosts", "ours", "foreign"),
    [
        (
            "127.0.0.1:4000",
            (),
            ["localhost:4000", "127.0.0.1", "[::1]:4000", "LocalHost."],
            ["evil.example", "10.0.0.1", ""],
        ),
        ("[::1]:4000", (), ["localhost"], ["evil.example"]),
        (
            "127.0.0.1:0",
            ("llm.example.com",),
            ["llm.example.com", "LLM.example.com:443", "localhost"],
            ["xllm.example.com"],
        ),
        ("0.0.0.0:4000", (), ["any.example", "10.0.0.1:4000", ""], []),
        (
            "0.0.0.0:4000",
            ("llm.example.com",),
            # An address is no name that was pointed here: probes of a cluster use them.
            ["llm.example.com", "localhost:4000", "10.0.0.1:4000", "[fd00::1]:4000"],
            ["evil.example", "10.0.0.1.evil.example", "", "llm.example.com@evil.example", "[fd00::1", "a b"],
        ),
        ("gateway.internal:4000", ("llm.example.com",), ["gateway.internal"], ["evil.example"]),
        ("[::1]:4000", ("[FD00:0::1]",), ["[fd00::1]:4000", "[fd00:0:0::1]"], ["[fd00::2]"]),
    ],
)
def test_derived_and_listed_names_are_ours_and_no_others(listen, hosts, ours, foreign):
    names = names_of(GatewaySettings(listen=listen, hosts=hosts))

    for _ in range(2):  # the second time it is remembered
        assert [host for host in ours if not names.include(host.encode())] == []
        assert [host for host in foreign if names.include(host.encode())] == []


def test_callers_cannot_fill_memory_with_names():
    names = names_of(GatewaySettings())
    for number in range(1000):
        names.include(b"%d.example" % number)

    assert len(names._answers) <= 100
    assert names.include(b"localhost")


def test_a_listed_name_is_answered_to_and_a_new_one_without_a_restart(tmp_path):
    file = tmp_path / "modicum.toml"
    file.write_text("first")
    listed = {"first": ("llm.example.com",), "second one": ("other.example.com",)}

    def settings(port):
        return msgspec.structs.replace(usual(hosts=listed[file.read_text()])(port), file=str(file))

    with running(tmp_path / "state", settings) as rig:

        def status(host):
            headers = rig.headers(host=host)
            return httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT, headers=headers).status_code

        assert [status(host) for host in ("llm.example.com", "localhost", "other.example.com")] == [200, 200, 421]
        file.write_text("second one")
        wait_until(lambda: status("other.example.com") == 200)
        assert status("llm.example.com") == 421
