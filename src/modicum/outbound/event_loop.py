"""The event loop of the servers: uvloop, which halves the CPU of a call; asyncio's own where that is not (Windows)."""

from collections.abc import Coroutine
from importlib.util import find_spec
from typing import Any, Literal

LOOP_NAME: Literal["uvloop", "asyncio"] = "uvloop" if find_spec("uvloop") else "asyncio"
"""As uvicorn calls it."""

if LOOP_NAME == "uvloop":
    from uvloop import run
else:
    from asyncio import run  # type: ignore[assignment]


def run_loop(main: Coroutine[Any, Any, None]) -> None:
    """Runs until the coroutine ends."""
    run(main)
