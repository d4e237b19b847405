"""Work in several processes whose results come in order. Loaded where it is used: it is a tenth of a bill's start."""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_processes(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int, start_method: str
) -> Iterator[Result]:
    """The results in the order of the items. At most two items per worker are ahead, so results do not pile up."""
    context = multiprocessing.get_context(start_method)
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_at_interrupt) as pool:
        ahead: deque[Future[Result]] = deque()
        waiting = iter(items)
        is_whole = False
        try:
            for item in islice(waiting, workers * 2):
                ahead.append(pool.submit(function, item))
            while ahead:
                result = ahead.popleft().result()
                for item in islice(waiting, 1):
                    ahead.append(pool.submit(function, item))
                yield result
            is_whole = True
        finally:
            if not is_whole:  # Ctrl-C, or nobody wants the rest: what is under way is not waited for
                for process in list((pool._processes or {}).values()):  # noqa: SLF001 - 3.14 has a way of its own
                    process.kill()  # whatever it does with SIGTERM, which a fork takes over
            pool.shutdown(wait=False, cancel_futures=True)


def _end_at_interrupt() -> None:
    """Ctrl-C reaches the whole group: a worker ends without a word, and would else go on with its next item."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
