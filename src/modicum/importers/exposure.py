"""What was sent that should not have been: counted while the text passes, booked with the call that sent it first."""

from dataclasses import replace

import msgspec

from modicum.calls import Call
from modicum.importers.format import Reading
from modicum.privacy.detection import count_sensitive_values
from modicum.privacy.tags import seen_tags


class Watch:
    """Looks at every text that a reader takes a digest of, once."""

    def __init__(self, reading: Reading) -> None:
        self._digest = reading.digest
        self._known: dict[bytes, dict[str, int]] = {}
        self.reading = replace(reading, digest=self._look)

    def _look(self, text: str) -> bytes:
        digest = self._digest(text)
        if digest not in self._known:
            self._known[digest] = count_sensitive_values(text)
        return digest

    def told(self, call: Call) -> Call:
        """The call, with counts of what the segments hold that it was the first to send."""
        if call.anatomy is None:
            return call
        sent = {segment.digest for segment in call.anatomy.added}
        counts = seen_tags(self._known.get(digest, {}) for digest in sent)
        return msgspec.structs.replace(call, tags=call.tags | counts) if counts else call
