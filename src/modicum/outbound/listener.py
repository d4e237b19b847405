"""A socket to listen on."""

import socket

from modicum.calls import UserError


def bind_listener(setting: str, host: str, port: int) -> socket.socket:
    """A socket bound to the address of a setting, so that one in use is reported in our words.

    Raises:
        UserError: somebody else listens there, or this machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise UserError(f"{setting}: {host}:{port} cannot be listened on: {error.strerror}") from None
    return bound
