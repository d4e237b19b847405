"""When a question that is asked of the ledger every so often is due."""

from time import monotonic


class QuestionTimer:
    """Of one question. A question is due when it was never asked."""

    def __init__(self) -> None:
        self._next_s = 0.0

    def is_due(self, every_s: float) -> bool:
        """Whether it is to be asked now; then not again before so many seconds have passed."""
        now_s = monotonic()
        if now_s < self._next_s:
            return False
        self._next_s = now_s + every_s
        return True
