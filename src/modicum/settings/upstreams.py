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
    """The API that it has: openai, anthropic or gemini."""
    key: str = ""
    """Where its key is: `env:OPENAI_API_KEY` or `file:/run/secrets/openai`. Empty: none is sent."""
    key_header: str = ""
    """The header that carries the key, where it is not the usual one (Azure: api-key)."""
    own_keys: bool | None = None
    """Whether callers without a modicum key may send their own key there. Not set: yes at a known provider's host for
    which a key is set here, else no."""
    pass_headers: tuple[str, ...] = ()
    """Headers of requests that go there beside those that go to every upstream, as patterns: x-tenant, x-acme-*."""
    models: tuple[str, ...] = ("*",)
    """The models that it serves, as patterns: gpt-*, o3*."""
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
    server: str = ""
    """Host and port of the watched server that answers (`modicum energy watch`), so that its energy is shared out to
    these calls. Empty: the upstream's own, if nobody else bills for it."""


USUAL_UPSTREAMS = {
    "openai": UpstreamSettings(
        url="https://api.openai.com/v1",
        speaks="openai",
        key="env:OPENAI_API_KEY",
        own_keys=True,
        models=("gpt-*", "chatgpt-*", "o1*", "o3*", "o4*", "codex-*", "text-embedding-*"),
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
        models=("gemini-*", "gemma-*"),
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
