"""Hosts and ports as people write them."""

import re
from ipaddress import ip_address

from modicum.calls import UserError

_HOST_NAME = r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*"


def host_and_port(setting: str, address: str) -> tuple[str, int]:
    """`127.0.0.1:4000` in its parts.

    Raises:
        UserError: it is no such address.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise UserError(f"{setting} '{address}' is no address to listen on; write it as 127.0.0.1:4000")
    return host.strip("[]"), int(port)


def host_name(text: str) -> str | None:
    """A host's name or address in the one way of writing it; None: it is none, but an address with a port, say."""
    try:
        return str(ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        name = text.lower().removesuffix(".")
        return name if re.fullmatch(_HOST_NAME, name) else None
