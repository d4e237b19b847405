"""The console process: serves the pages until SIGTERM or SIGINT."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import uvicorn

from modicum.console.app import Console, make_app
from modicum.console.asking import Asking, Sources
from modicum.console.guards import App, names_of
from modicum.outbound.event_loop import LOOP_NAME, run_loop
from modicum.outbound.listener import bind_listener
from modicum.outbound.server import DrainingServer

BACKLOG = 128


def bind_pages(setting: str, host: str, port: int) -> socket.socket:
    """The socket of the pages.

    Raises:
        UserError: somebody else listens there.
    """
    bound = bind_listener(setting, host, port)
    bound.listen(BACKLOG)
    return bound


async def serve(sources: Sources, bound: socket.socket, host: str) -> None:
    """Serves the pages on a socket.

    Args:
        sources: where figures are from.
        bound: what is listened on.
        host: its name, as it was given.
    """
    port = bound.getsockname()[1]
    console = Console(Asking(sources), port=port)
    public_url = sources.read_settings().console.public_url
    app = make_app(console, names_of(host, port), public_url)
    preparing = asyncio.create_task(asyncio.to_thread(console.prepare))
    try:
        await DrainingServer(make_config(app, behind_proxy=bool(public_url))).serve(sockets=[bound])
        await preparing
    finally:
        console.close()


def make_config(app: App, *, behind_proxy: bool) -> uvicorn.Config:
    """How the application is served.

    Args:
        app: what answers.
        behind_proxy: whether `X-Forwarded-For` says who asks. Else anybody on this machine could make up an address
            for each try to log in.
    """
    return uvicorn.Config(
        app,
        http="httptools",
        loop=LOOP_NAME,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=behind_proxy,
        timeout_graceful_shutdown=3,
    )


def run(sources: Sources, bound: socket.socket, host: str, started: Callable[[], None] = lambda: None) -> None:
    async def begin() -> None:
        serving = asyncio.create_task(serve(sources, bound, host))
        await asyncio.sleep(0)  # as in `serve_beside`
        started()
        await serving

    run_loop(begin())


async def serve_beside(
    ledger: Coroutine[Any, Any, None], sources: Sources, bound: socket.socket, host: str, started: Callable[[], None]
) -> None:
    """Serves pages while a ledger process runs in the same process. They end together, by whichever ends first."""
    tasks = [asyncio.create_task(serve(sources, bound, host)), asyncio.create_task(ledger)]
    await asyncio.sleep(0)  # both have set their handlers: who sees the address may end it by a signal at once
    started()
    done, going = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in going:
        task.cancel()
    await asyncio.gather(*going, return_exceptions=True)
    for task in done:
        task.result()
