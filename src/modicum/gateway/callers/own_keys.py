"""Keys that callers bring from their provider: whose they are, and to which upstreams they may go.

A credential goes to hosts of the provider that issued it and to no other. A host that no provider is known to run may
have a check of its own or none, so there the settings must say that it takes callers' keys; the credential of a plan
never goes there.
"""

import binascii
import re
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from modicum.gateway.callers.credentials import token_in
from modicum.gateway.http.refusal import Refused
from modicum.gateway.upstreams import Upstream
from modicum.outbound.keepalive import Header

FEWEST_CHARACTERS = 8
_TOKEN = re.compile(rb"[0-9A-Za-z._~+/-]+=*")
"""What a credential may consist of (RFC 6750)."""


class Kind(NamedTuple):
    """Whose a credential is."""

    providers: frozenset[str]
    """Ids of genai-prices; several where one beginning is used by several."""
    is_plan: bool = False
    """Whether it stands for a person's plan or account, and not for a key that was made to be given to programs."""


def _kind(*providers: str, is_plan: bool = False) -> Kind:
    return Kind(frozenset(providers), is_plan)


_PLAIN = ("azure", "mistral", "together", "fireworks", "cerebras", "deepseek", "moonshotai", "aws")
"""Providers some of whose keys begin like no other's and like nothing."""
UNKNOWN = _kind(*_PLAIN)
BEGINNINGS: dict[bytes, Kind] = {
    b"sk-ant-oat": _kind("anthropic", is_plan=True),
    b"sk-ant-ort": _kind("anthropic", is_plan=True),
    b"sk-ant-sid": _kind("anthropic", is_plan=True),
    b"sk-ant-": _kind("anthropic"),
    b"sk-or-": _kind("openrouter"),
    b"sk-proj-": _kind("openai"),
    b"sk-svcacct-": _kind("openai"),
    b"sk-admin-": _kind("openai"),
    b"sk-lf-": _kind("langfuse"),
    b"AIza": _kind("google"),
    b"AQ.": _kind("google"),
    b"ya29.": _kind("google", is_plan=True),
    b"gsk_": _kind("groq"),
    b"xai-": _kind("x-ai"),
    b"pplx-": _kind("perplexity"),
    b"fw_": _kind("fireworks"),
    b"csk-": _kind("cerebras"),
    b"tgp_": _kind("together"),
    b"ABSK": _kind("aws"),
    b"AKIA": _kind("aws"),
    b"hf_": _kind("huggingface"),
    b"nvapi-": _kind("nvidia"),
    b"gho_": _kind("github", is_plan=True),
    b"ghu_": _kind("github", is_plan=True),
    b"ghp_": _kind("github", is_plan=True),
    b"ghs_": _kind("github", is_plan=True),
    b"github_pat_": _kind("github", is_plan=True),
    b"sk-": _kind("openai", "deepseek", "moonshotai"),
}
"""How credentials begin, the longer first where one begins another."""
_SHARED = frozenset({UNKNOWN, BEGINNINGS[b"sk-"]})
"""Kinds that say nothing for certain: many servers have keys like these."""
_ISSUERS = {
    "openai.com": "openai",
    "anthropic.com": "anthropic",
    "google.com": "google",
    "x.ai": "x-ai",
    "windows.net": "azure",
    "microsoftonline.com": "azure",
    "github.com": "github",
}
"""Ends of host names of those who sign tokens (JWT), and for whom."""


def check_credential(own_key: Header) -> None:
    """Whether this can be a provider's key at all.

    Raises:
        Refused: it is no credential: empty, a placeholder, or written as none is.
    """
    token = token_in(*own_key)
    if len(token) < FEWEST_CHARACTERS or not _TOKEN.fullmatch(token):
        raise Refused(
            401,
            "what stands where a key belongs is none; send one of 'modicum key create NAME', or your provider's own, "
            "as 'authorization: Bearer KEY' or in x-api-key",
            "no_key",
        )


_CLIENTS: dict[str, tuple[bytes, ...]] = {
    "anthropic": (b"claude-cli/", b"claude-code/"),
    "openai": (b"codex_cli_rs/", b"codex_exec/", b"codex_vscode/", b"codex-tui/"),
    "google": (b"GeminiCLI/", b"GeminiCLI-"),
}
"""How the user agents of vendors' own clients begin. Plans of others do not pass."""


def is_plan(own_key: Header) -> bool:
    """Whether a credential is that of a person's plan or account."""
    return kind_of(token_in(*own_key)).is_plan


def check_plan_client(own_key: Header, user_agent: bytes) -> None:
    """Whether the credential of a plan comes from a client of the vendor that issued it.

    Raises:
        Refused: it does not.
    """
    providers = kind_of(token_in(*own_key)).providers
    if not any(user_agent.startswith(_CLIENTS.get(provider, ())) for provider in providers):
        raise Refused(
            403,
            "the credential of a plan passes only from the vendor's own client; use a key of its API, or a modicum key",
            "plan_client",
        )


def check_upstream(own_key: Header, upstream: Upstream) -> None:
    """Whether the caller's own key may go to the upstream.

    Raises:
        Refused: the caller's own key may not go to this upstream.
    """
    if not upstream.own_keys:
        raise Refused(
            403,
            f"the upstream '{upstream.name}' takes no keys of callers (upstreams.{upstream.name}.own_keys in "
            "modicum.toml); use a modicum key",
            "own_key_not_taken",
        )
    kind = kind_of(token_in(*own_key))
    if upstream.host_provider:
        fits = upstream.host_provider in kind.providers
    else:
        fits = kind in _SHARED or (not kind.is_plan and upstream.said_provider in kind.providers)
    if not fits:
        raise Refused(
            403, "your own key is of another provider than this model's upstream; use a modicum key", "wrong_key"
        )


def kind_of(token: bytes) -> Kind:
    """Whose a credential is, by how it begins; of a signed token by who signed it."""
    if token.startswith(b"eyJ") and token.count(b".") == 2:
        return _signed(token)
    return next((kind for beginning, kind in BEGINNINGS.items() if token.startswith(beginning)), UNKNOWN)


def _signed(token: bytes) -> Kind:
    """A token that one of the providers signed is a person's; any other may be that of a server's own users."""
    payload = token.split(b".")[1].translate(bytes.maketrans(b"-_", b"+/"))
    try:
        issuer = msgspec.json.decode(binascii.a2b_base64(payload + b"=" * (-len(payload) % 4)), type=_Payload).iss
        host = urlsplit(issuer).hostname or ""
    except (ValueError, msgspec.MsgspecError):
        return UNKNOWN
    provider = next((one for end, one in _ISSUERS.items() if host == end or host.endswith("." + end)), None)
    return UNKNOWN if provider is None else _kind(provider, is_plan=True)


class _Payload(msgspec.Struct):
    iss: str = ""
