"""Work in several processes whose results come in order. Loaded where it is used: it is a tenth of a bill's start."""

import multiprocessing
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
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(start_method)) as pool:
        ahead: deque[Future[Result]] = deque()
        waiting = iter(items)
        try:
            for item in islice(waiting, workers * 2):
                ahead.append(pool.submit(function, item))
            while ahead:
                result = ahead.popleft().result()
                for item in islice(waiting, 1):
                    ahead.append(pool.submit(function, item))
                yield result
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
