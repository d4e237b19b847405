"""A uvicorn server of ours: a signal to end makes it drain, and what comes after the drain still runs."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn


class DrainingServer(uvicorn.Server):
    """Ends on SIGTERM and SIGINT with what is under way, and then gives back to who called `serve`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn does, but for the end: a signal is not raised again, which would end the process before journal
        and ledger are closed.
        """
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may set handlers
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
