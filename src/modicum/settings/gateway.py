"""`[gateway]`: who is let in, and how much is taken on at once."""

import re
from typing import Literal

import msgspec

from modicum.settings.addresses import host_name

MOST_WORKERS = 64
MOST_UPGRADE_DRAIN_S = 86_400.0
_ORIGIN = r"(?!http://[^:]+:80$|https://[^:]+:443$)[a-z][a-z0-9+.-]*://(?:[a-z0-9_](?:[a-z0-9._-]*)|\[[0-9a-f:]+\])(?::[0-9]{1,5})?"


class GatewaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The section `[gateway]` of the settings."""

    listen: str = "127.0.0.1:4000"
    """Host and port. Anything but this machine itself only if you write it here."""
    hosts: tuple[str, ...] = ()
    """Other names under which it is called, as llm.example.com: those that a proxy in front of it passes on, say."""
    cors_origins: tuple[str, ...] = ()
    """Origins of the pages that may call it from a browser, as https://app.example.com. None: no page of another."""
    tls_certificate_file: str = ""
    """The certificate that callers are shown, with what leads to its authority, as PEM. Empty: nothing is encrypted."""
    tls_key_file: str = ""
    """Its private key, as PEM and without a passphrase. Empty: it stands in the certificate's file."""
    own_keys: bool = True
    """Whether a caller without a modicum key may use its own provider key, at upstreams that take it
    (`upstreams.NAME.own_keys`). The gateway's keys are never used for it."""
    plan_credentials: bool = False
    """Whether the credential of a person's plan may pass: from the vendor's own client to the vendor's own host,
    metered and nothing else. Read docs/plans.md and the vendor's terms first."""
    anatomy: bool = True
    """Whether the parts of each context are digested and counted. No text is kept."""
    most_body_mb: int = 64
    """The largest request."""
    most_upload_mb: int = 2048
    """The largest file. Files pass as they come and take no memory."""
    most_bodies_mb: int = 0
    """How much the requests that are under way may have together. 0: an eighth of the memory."""
    most_calls: int = 4000
    """How many calls may be under way at once."""
    silence_s: float = 600.0
    """How long an upstream may say nothing within a reply."""
    workers: int = 1
    """How many gateway processes share the port. Each uses one core."""
    slow_client_s: float = 60.0
    """How long a caller may take to send its request, or stop reading its reply."""
    durable: Literal["disk", "process"] = "disk"
    """What a record of a call survives before its reply is finished: `disk`, any end of the machine; `process`, any end
    of the process, but not a power cut. Read at the start."""
    drain_s: float = 30.0
    """How long calls under way may go on after SIGTERM."""
    upgrade_drain_s: float = 600.0
    """How long calls and connections of the old processes may go on after an upgrade (SIGUSR2)."""


def gateway_fault(gateway: GatewaySettings) -> tuple[str, str] | None:
    """The setting that is wrong, and what it must be."""
    for host in gateway.hosts:
        if host_name(host) is None:
            return "hosts", f"holds '{host}'; it takes names without scheme, port and '*', as 'llm.example.com'"
    if gateway.tls_key_file and not gateway.tls_certificate_file:
        return "tls_key_file", "is of no use without tls_certificate_file"
    if not 0 <= gateway.upgrade_drain_s <= MOST_UPGRADE_DRAIN_S:
        return "upgrade_drain_s", f"is a number of seconds from 0 to {MOST_UPGRADE_DRAIN_S:,.0f}"
    for origin in gateway.cors_origins:
        if not re.fullmatch(_ORIGIN, origin):
            return "cors_origins", (
                f"holds '{origin}'; it takes origins as browsers write them, in small letters, without path, usual "
                "port or '*', as 'https://app.example.com' or 'http://localhost:5173'"
            )
    return None
