"""`[otel]`: finished calls as spans."""

from typing import Literal

import msgspec


class OtelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[otel]`: finished calls as spans, sent to a collector or a tracing service."""

    endpoint: str = ""
    """Its address, as http://127.0.0.1:4318; `/v1/traces` is put behind it. Empty: nothing is sent."""
    headers: dict[str, str] = {}
    """Sent with every request; a key as `env:NAME` or `file:PATH`."""
    protocol: str = "http/protobuf"
    """The only one."""
    names: Literal["new", "old", "both"] = "both"
    """Which names of the GenAI conventions the attributes have."""
    service: str = "modicum"
    """The `service.name` under which spans are sent."""
    unsampled: bool = False
    """Whether calls are sent whose caller does not record its trace."""
