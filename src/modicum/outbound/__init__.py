"""The one HTTP client, and the list of hosts that it may speak to."""

from modicum.outbound.client import Outbound, Unreachable
from modicum.outbound.hosts import AllowedHosts

__all__ = ["AllowedHosts", "Outbound", "Unreachable"]
