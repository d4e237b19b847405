"""What goes wrong when a host is spoken to, whichever client does it."""


class Unreachable(Exception):  # noqa: N818 - the state of a host, not a bug
    """The host did not answer, or answered with an error status. The message names the host and no content."""

    def __init__(self, message: str, status: int | None = None, retry_after: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        """The header of that name, if the host sent it."""


class Untrusted(Unreachable):
    """The host's certificate is not believed. The message says by which check."""


class TooSlow(Unreachable):
    """The host was reached and did not begin to answer in the time that it has."""


class OtherProtocol(Unreachable):
    """Something listens there and speaks another protocol than the address says: TLS or not, HTTP or not."""
