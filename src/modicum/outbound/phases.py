"""How long each phase of a request may take."""

from typing import NamedTuple


class PhaseTimeouts(NamedTuple):
    """Seconds; 0: as for everybody, or for as long as it takes."""

    connect_s: float = 0.0
    """Until there is a connection."""
    first_byte_s: float = 0.0
    """From the request to the first byte of the reply's body."""
    silence_s: float = 0.0
    """Between two pieces of a reply; looked at once a second."""
    whole_s: float = 0.0
    """From the request to the end of its reply."""


class PhaseTimedOut(ConnectionError):  # noqa: N818 - the state of a host, not a bug
    """A reply was given up because a phase took too long. The message says which."""
