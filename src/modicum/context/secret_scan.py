"""What was sent that should not have been: counted while the text passes, booked with the call that sent it first."""

import msgspec

from modicum.calls import Call
from modicum.context.block_listener import BlockListener, MeasuredBlock
from modicum.privacy.detection import count_sensitive_values
from modicum.privacy.tags import seen_tags


class SecretScan(BlockListener):
    """Looks at every text of a file, once."""

    def __init__(self) -> None:
        self._known: dict[bytes, dict[str, int]] = {}

    def on_block(self, block: MeasuredBlock) -> None:
        if block.digest not in self._known:
            self._known[block.digest] = count_sensitive_values(block.text)

    def tagged(self, call: Call) -> Call:
        """The call, with counts of what the segments hold that it was the first to send."""
        if call.anatomy is None:
            return call
        sent = {segment.digest for segment in call.anatomy.added}
        counts = seen_tags(self._known.get(digest, {}) for digest in sent)
        return msgspec.structs.replace(call, tags=call.tags | counts) if counts else call
