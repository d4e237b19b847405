"""Which headers of a request go upstream. It is a list of those that may, because nobody can list those that may not:
accounts, projects and keys travel under ever new names.

docs/gateway.md has the same list, and a test holds one to the other.
"""

from collections.abc import Mapping

from modicum.outbound.keepalive import Header

PASSED = frozenset(
    {
        # every API
        b"accept",
        b"content-type",
        b"idempotency-key",
        b"traceparent",
        b"tracestate",
        b"user-agent",
        b"x-client-request-id",
        b"x-request-id",
        # Anthropic's
        b"anthropic-beta",
        b"anthropic-dangerous-direct-browser-access",
        b"anthropic-version",
        b"x-app",
        # OpenAI's, and Codex's: a conversation stays on the server that has its cache
        b"conversation_id",
        b"openai-beta",
        b"originator",
        b"session-id",
        b"session_id",
        b"thread-id",
        b"version",
        b"x-openai-subagent",
        # Google's
        b"x-goog-api-client",
        b"x-server-timeout",
        # others that speak OpenAI's API
        b"http-referer",
        b"x-dashscope-cachecontrol",
        b"x-dashscope-useragent",
        b"x-grok-conv-id",
        b"x-session-affinity",
        b"x-title",
    }
)
BEGINNINGS = (b"x-stainless-", b"x-claude-code-", b"x-codex-", b"x-goog-upload-")
"""Of names that go upstream: what official clients tell of themselves."""
WITH_OWN_KEYS = frozenset({b"chatgpt-account-id", b"openai-organization", b"openai-project", b"x-goog-user-project"})
"""Whose account it is: goes with a caller's own key, and never beside the gateway's."""
NEVER = frozenset(
    {
        b"accept-encoding",
        b"api-key",
        b"authorization",
        b"baggage",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"cookie",
        b"expect",
        b"forwarded",
        b"host",
        b"keep-alive",
        b"origin",
        b"proxy-authorization",
        b"proxy-connection",
        b"referer",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"via",
        b"x-api-key",
        b"x-goog-api-key",
    }
    | WITH_OWN_KEYS
)
"""What no setting can let pass: keys and accounts, those of this connection, what tells about the caller's network."""


def passes_on(name: bytes) -> bool:
    """Whether a request header goes to every upstream."""
    return name in PASSED or name.startswith(BEGINNINGS)


def beside_own_key(headers: Mapping[bytes, bytes]) -> list[Header]:
    """Those that go with a caller's own key."""
    return [(name, headers[name]) for name in sorted(WITH_OWN_KEYS) if name in headers]
