"""`[upstreams.NAME]`: where calls may go."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from modicum.calls import UserError


class UpstreamSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[upstreams.NAME]`: a provider, or a server of your own, that calls may go to."""

    url: str
    """Its address up to the version: https://api.openai.com/v1, https://api.anthropic.com/v1."""
    speaks: str
    """The API that it has: openai, anthropic, gemini, bedrock or vertex."""
    key: str = ""
    """Where its key is: `env:OPENAI_API_KEY` or `file:/run/secrets/openai`. Empty: none is sent."""
    auth: Literal["key", "aws", "google"] = "key"
    """How its requests are authorised: with its key; signed with AWS's credentials of this machine (Bedrock, `pip
    install 'modicum[bedrock]'`); or with an access token of Google's (Vertex AI, `modicum[vertex]`). The last two take
    credentials from where AWS's and Google's own tools do."""
    key_header: str = ""
    """The header that carries the key, where it is not the usual one (Azure: api-key)."""
    own_keys: bool | None = None
    """Whether callers without a modicum key may send their own key there. Not set: yes at a known provider's host for
    which a key is set here, else no."""
    pass_headers: tuple[str, ...] = ()
    """Headers of requests that go there beside those that go to every upstream, as patterns: x-tenant, x-acme-*."""
    models: tuple[str, ...] = ("*",)
    """The models that it serves, as patterns: gpt-*, o3*."""
    other_paths: tuple[str, ...] = ("*",)
    """Paths that nobody here meters and that may go there all the same, as patterns: /v1/fine_tuning/*. What such a
    call costs is unknown. Empty: none."""
    provider: str = ""
    """Who bills for it, by the id of genai-prices (openai, azure, groq, ...). Empty: told from the address."""
    api_version: str = ""
    """Sent as `?api-version=`, which some Azure addresses want."""
    ca_file: str = ""
    """The authority that its certificate comes from, as PEM, where that is one of your own. Then no other is believed
    there."""
    output_limit: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    """What an `openai` upstream calls the bound on a reply, for calls that are translated to it; some servers know
    only max_tokens."""
    most_calls: int = 0
    """How many calls may be under way there at once. 0: three quarters of `gateway.most_calls`, so that an upstream
    that hangs leaves room for the others."""
    region: str = ""
    """Where it is served, for policies that name regions (`[[resilience]]`). Empty: told from the address."""
    weight: float = 0.0
    """Its share of the calls for a model that several upstreams serve, beside their weights. 0: it gets none, where
    another one has a weight; where none has, the first in this file gets all. Calls of one conversation stay
    together."""
    connect_s: float = 0.0
    """How long connecting may take. 0: ten seconds."""
    first_byte_s: float = 0.0
    """How long it may take until the first byte of a reply. 0: `gateway.silence_s`."""
    silence_s: float = 0.0
    """How long it may say nothing within a reply. 0: `gateway.silence_s`."""
    whole_s: float = 0.0
    """How long a reply may take in all. 0: as long as it takes."""
    retry_share: float = 0.2
    """How many retries its calls earn, one call this share of one: so that retries do not make an overload worse."""
    circuit_share: float = 0.0
    """The share of failed calls at which no more go there for a while. 0: they always go."""
    circuit_calls: int = 10
    """It takes at least so many calls."""
    circuit_window_s: float = 30.0
    """Within so many seconds."""
    circuit_open_s: float = 10.0
    """How long no call goes there then; after that one tries."""
    server: str = ""
    """Host and port of the watched server that answers (`modicum energy watch`), so that its energy is shared out to
    these calls. Empty: the upstream's own, if nobody else bills for it."""


MOST_S = 86_400.0
_RANGES: tuple[tuple[str, float, float], ...] = (
    ("weight", 0.0, 1e6),
    ("connect_s", 0.0, MOST_S),
    ("first_byte_s", 0.0, MOST_S),
    ("silence_s", 0.0, MOST_S),
    ("whole_s", 0.0, MOST_S),
    ("retry_share", 0.0, 1.0),
    ("circuit_share", 0.0, 1.0),
    ("circuit_calls", 1, 64),
    ("circuit_window_s", 0.1, MOST_S),
    ("circuit_open_s", 0.1, MOST_S),
)


def upstream_fault(upstream: UpstreamSettings) -> tuple[str, str] | None:
    """The setting that is wrong, and what it must be."""
    if upstream.auth != "key" and upstream.key:
        return "auth", f"is {upstream.auth}, so no key is sent; leave out its key"
    for name, least, most in _RANGES:
        value = getattr(upstream, name)
        if not least <= value <= most:  # nan is in no range
            return name, f"is {value:g}; it must be a number from {least:g} to {most:,.0f}"
    return None


USUAL_UPSTREAMS = {
    "openai": UpstreamSettings(
        url="https://api.openai.com/v1",
        speaks="openai",
        key="env:OPENAI_API_KEY",
        own_keys=True,
        models=(
            *("gpt-*", "chatgpt-*", "o1*", "o3*", "o4*", "codex-*", "text-embedding-*", "computer-use-*"),
            *("dall-e-*", "whisper-*", "tts-*", "omni-moderation*", "text-moderation*", "davinci-*", "babbage-*"),
        ),
    ),
    "anthropic": UpstreamSettings(
        url="https://api.anthropic.com/v1",
        speaks="anthropic",
        key="env:ANTHROPIC_API_KEY",
        own_keys=True,
        models=("claude-*",),
    ),
    "gemini": UpstreamSettings(
        url="https://generativelanguage.googleapis.com/v1beta",
        speaks="gemini",
        key="env:GEMINI_API_KEY",
        own_keys=True,
        models=("gemini-*", "gemma-*", "text-embedding-004", "embedding-001"),
    ),
}
"""Where calls go if the settings name no upstream."""


def upstream_key(name: str, settings: UpstreamSettings, environment: Mapping[str, str] = os.environ) -> str:
    """The key of an upstream, from where the settings say it is; empty if they say nowhere, or it is not set there.

    Raises:
        UserError: it is written in the settings themselves, or its file cannot be read.
    """
    kind, _, place = settings.key.partition(":")
    if not settings.key:
        return ""
    if kind == "env" and place:
        return environment.get(place, "").strip()
    if kind == "file" and place:
        try:
            return Path(place).expanduser().read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"upstreams.{name}.key: {place} cannot be read: {error}") from None
    raise UserError(f"upstreams.{name}.key must say where the key is: env:NAME or file:PATH, not the key itself")
