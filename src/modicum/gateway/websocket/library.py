"""The library that speaks WebSockets comes with an extra: without it a socket is refused, and clients use HTTP."""

from importlib.util import find_spec


def has_websockets() -> bool:
    """Whether it is installed."""
    return find_spec("websockets") is not None
