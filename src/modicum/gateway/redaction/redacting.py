"""What goes upstream without secrets and personal data, and comes back with them, call by call.

A request that cannot be redacted is refused: what was to be held back never leaves for want of an answer.
"""

import hmac
import secrets
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec

from modicum.calls import Owner
from modicum.gateway.http.refusal import Refused
from modicum.privacy.placeholders import Placeholders, Sought
from modicum.privacy.redaction import Restores, StreamEvent, StreamRestorer, redact, restore
from modicum.privacy.tags import REDACTED
from modicum.providers.dialect import Dialect
from modicum.providers.event_stream import event_data, whole_events
from modicum.settings.redaction import RedactionSettings, sought_of


class CallRedaction:
    """Of one call."""

    def __init__(self, sought: Sought, key: bytes, restores: Restores) -> None:
        self._placeholders, self._restores = Placeholders(sought, key), restores
        self._restorer: EventRestorer | None = None

    @property
    def tags(self) -> dict[str, str]:
        """For the call's record."""
        return {f"{REDACTED}{kind}": str(count) for kind, count in self._placeholders.counts.items()}

    def hide(self, body: bytes) -> bytes:
        """The request as it may leave.

        Raises:
            Refused: it cannot be read, so nobody knows what it holds.
        """
        try:
            return redact(body, self._placeholders)
        except (ValueError, RecursionError):
            message = "this request has to be redacted before it leaves, and cannot be read as JSON"
            raise Refused(400, message, "not_redactable") from None

    def restore(self, body: bytes) -> bytes:
        """A whole reply as its caller gets it."""
        return restore(body, self._placeholders, self._restores) if self._placeholders else body

    def restorer(self, dialect: Dialect) -> "EventRestorer | None":
        """For a stream in the caller's dialect; None: it passes as it is."""
        texts = dialect.stream_texts
        if texts is None or not self._placeholders or self._restores is Restores.NONE:
            return None
        restorer = StreamRestorer(self._placeholders, self._restores, texts.is_piece, texts.is_end)
        self._restorer = EventRestorer(restorer)
        return self._restorer

    def take_held(self) -> bytes:
        """What is held back of a stream that broke off."""
        return b"" if self._restorer is None else self._restorer.end()


class EventRestorer:
    """Reads the events of a stream for a `StreamRestorer`."""

    def __init__(self, restorer: StreamRestorer) -> None:
        self._restorer = restorer

    def feed(self, passed: bytes) -> bytes:
        """What can be passed on now, of whole events."""
        return b"".join(self._restorer.feed(event) for event in _events(passed))

    def end(self) -> bytes:
        """What was held back."""
        return self._restorer.end()


def _events(passed: bytes) -> Iterator[StreamEvent]:
    for raw in whole_events(passed):
        head = b"".join(line for line in raw.splitlines(keepends=True) if line.strip() and not line.startswith(b"data"))
        yield StreamEvent(raw, head, b"\n".join(event_data(raw)))


class _Choice(NamedTuple):
    row: RedactionSettings
    sought: Sought


class Redactor:
    """What the settings say of whose calls.

    Args:
        secret: of this installation; the owners' keys are made of it.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._choices: tuple[_Choice, ...] = ()
        self.is_active = False
        """Whether it may be about any call."""

    def take_over(self, rows: Sequence[RedactionSettings]) -> None:
        """What the settings say now. Calls under way keep what they got."""
        self._choices, self.is_active = tuple(_Choice(row, sought_of(row)) for row in rows), bool(rows)

    def of(self, owner: Owner, *models: str) -> CallRedaction | None:
        """For a call, whose model has these names; None: it leaves as it is."""
        choice = next((one for one in self._choices if one.row.is_about(owner, *models)), None)
        if choice is None:
            return None
        key = self._key_of(owner) if choice.row.stable else secrets.token_bytes(32)
        return CallRedaction(choice.sought, key, Restores(choice.row.restore))

    def check_passed_on(self, owner: Owner, body: bytes, *, has_upload: bool) -> None:
        """What is passed on unread may hold anything.

        Raises:
            Refused: a row is about the owner, of whatever model, and something would leave.
        """
        if (body or has_upload) and any(one.row.is_of(owner) for one in self._choices):
            message = (
                "this path is passed on unread, and the secrets and personal data of this owner must not leave; "
                "use a path that is metered, or change [[redaction]] in modicum.toml"
            )
            raise Refused(403, message, "not_redactable")

    def _key_of(self, owner: Owner) -> bytes:
        names = msgspec.json.encode(("redaction", owner.team, owner.app, owner.user, owner.key))
        return hmac.new(self._secret, names, sha256).digest()
