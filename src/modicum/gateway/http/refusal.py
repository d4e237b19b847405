"""Why a call goes no further. The message is for the caller: it quotes nothing of the request and holds no key."""


class Refused(Exception):  # noqa: N818 - an answer, not a bug
    def __init__(self, status: int, message: str, kind: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        """A short word for programs: `unknown_key`, `unknown_model`, `too_large`."""
        self.retry_after_s = retry_after_s
        """When it is worth another try; None: as usual for that kind."""
        self.headers: list[tuple[bytes, bytes]] = []
        """More headers of the answer."""


class ClientGone(Exception):  # noqa: N818 - an event
    """The caller left, or stopped reading."""
