"""What of a request's headers goes up: a list, held to the documentation, and seen at the provider."""

import re
from pathlib import Path

import httpx2 as httpx
import pytest

from gateway.rig import CHAT
from modicum.calls import UserError
from modicum.gateway.callers.outgoing_headers import BEGINNINGS, NEVER, PASSED, WITH_OWN_KEYS, passes_on
from modicum.gateway.upstreams import Upstream
from modicum.settings import UpstreamSettings

DOCS = Path(__file__).parents[3] / "docs" / "gateway.md"
ACCOUNTS = {
    "openai-organization": "org-callers",
    "openai-project": "proj_callers",
    "x-goog-user-project": "callers-project",
    "chatgpt-account-id": "callers",
}
OWN = {"authorization": "Bearer sk-0123456789abcdef"}


def test_the_documentation_has_the_same_list():
    section = DOCS.read_text().split("## Headers that go upstream")[1].split("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("|")]
    told = {row[1].strip(): set(re.findall(r"`([^`]+)`", row[2])) for row in rows}
    always = set().union(*(names for what, names in told.items() if what != "only with a caller's own key"))

    assert {name for name in always if not name.endswith("*")} == {name.decode() for name in PASSED}
    assert {name.removesuffix("*") for name in always if name.endswith("*")} == {name.decode() for name in BEGINNINGS}
    assert told["only with a caller's own key"] == {name.decode() for name in WITH_OWN_KEYS}


def asked_with(rig, headers):
    reply = httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT, headers=headers)
    assert reply.status_code == 200
    return rig.provider.asked[-1][1]


def test_accounts_of_the_caller_do_not_go_beside_the_gateways_key(rig):
    assert not ACCOUNTS.keys() & asked_with(rig, rig.headers() | ACCOUNTS).keys()


def test_accounts_of_the_caller_go_with_its_own_key(rig):
    assert ACCOUNTS.items() <= asked_with(rig, OWN | ACCOUNTS).items()


def test_lists_and_counts_keep_to_the_same_rules(rig):
    for headers, goes in ((rig.headers(), False), (OWN, True)):
        httpx.get(f"{rig.url}/v1/models", headers=headers | ACCOUNTS | {"x-unheard-of": "1"})
        sent = rig.provider.asked[-1][1]
        assert ("openai-organization" in sent) is goes
        assert "x-unheard-of" not in sent


@pytest.mark.parametrize(
    "name",
    [
        "x-amz-security-token",
        "x-auth-token",
        "ocp-apim-subscription-key",
        "x-forwarded-for",
        "x-modicum-task",
        "x-litellm-api-key",
        "azureml-model-deployment",
        "cookie",
        "x-unheard-of",
        "openai-organisation",
    ],
)
def test_what_nobody_listed_ends_here(rig, name):
    assert name not in asked_with(rig, rig.headers() | {name: "value"})
    assert name not in asked_with(rig, OWN | {name: "value"})


def test_what_clients_and_providers_need_goes_up(rig):
    needed = {name.decode(): "1" for name in PASSED} | {f"{name.decode()}some": "2" for name in BEGINNINGS}

    assert needed.items() <= asked_with(rig, rig.headers() | needed).items()


def test_a_setting_lets_more_pass_and_keys_never():
    def upstream(*patterns):
        return Upstream("a", UpstreamSettings(url="https://a.example/v1", speaks="openai", pass_headers=patterns), "")

    tenant = upstream("X-Tenant", "x-acme-*")
    headers = {b"x-tenant": b"1", b"x-acme-a": b"2", b"x-other": b"3", b"accept": b"4"}
    assert tenant.passes_on(headers) == [(b"x-tenant", b"1"), (b"x-acme-a", b"2")]
    for pattern in ("*", "authorization", "x-api-*", "openai-*", "cookie"):
        with pytest.raises(UserError, match="never goes"):
            upstream(pattern)


def test_no_header_is_on_both_lists():
    assert not [name for name in NEVER if passes_on(name)]
