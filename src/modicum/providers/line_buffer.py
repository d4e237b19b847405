"""Whole lines out of chunks that were cut anywhere."""

MOST_LINE = 32 * 1024 * 1024
"""Bytes of one line that are held until it is whole. A longer line is skipped."""


class LineBuffer:
    def __init__(self) -> None:
        self._partial: list[bytes] = []
        self._partial_size = 0
        self._skipping = False
        self.skipped = False
        """Whether a line was too long to be held."""

    def feed(self, chunk: bytes) -> bytes:
        """The lines that this chunk makes whole, ends included; empty if there is none."""
        if chunk.endswith(b"\n") and not self._partial and not self._skipping:
            return chunk  # as most servers send them: whole events
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            self._wait(chunk)
            return b""
        whole = self.end() + chunk[:cut] if self._partial else chunk[:cut]
        if self._skipping:
            whole = whole[whole.find(b"\n") + 1 :]
            self._skipping = False
        if cut < len(chunk):
            self._wait(chunk[cut:])
        return whole

    def end(self) -> bytes:
        """What came last without a line end."""
        partial = b"".join(self._partial)
        self._partial.clear()
        self._partial_size = 0
        return partial

    def _wait(self, rest: bytes) -> None:
        if self._skipping:
            return
        self._partial.append(rest)
        self._partial_size += len(rest)
        if self._partial_size > MOST_LINE:
            self.end()
            self._skipping = self.skipped = True
