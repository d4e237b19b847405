"""The event loop of the servers: uvloop, which halves the CPU of a call; asyncio's own where that is not (Windows)."""

from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from typing import Any, Literal

LOOP_NAME: Literal["uvloop", "asyncio"] = "uvloop" if find_spec("uvloop") else "asyncio"
"""As uvicorn calls it."""

_run: Callable[[Coroutine[Any, Any, None]], None]
if LOOP_NAME == "uvloop":
    import uvloop

    _run = uvloop.run
else:
    import asyncio

    _run = asyncio.run


def run_loop(main: Coroutine[Any, Any, None]) -> None:
    """Runs until the coroutine ends."""
    _run(main)
