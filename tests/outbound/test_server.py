import asyncio
import os
import signal
import threading

import pytest
import uvicorn

from modicum.outbound.listener import bind_listener
from modicum.outbound.server import DrainingServer


async def app(scope, receive, send):
    """Never asked."""


def a_server(kind=DrainingServer):
    return kind(uvicorn.Config(app, lifespan="off", log_config=None))


class Signalled(DrainingServer):
    """Gets a signal as soon as it listens."""

    number = signal.SIGTERM

    async def startup(self, sockets=None):
        await super().startup(sockets)
        os.kill(os.getpid(), self.number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_and_what_comes_after_it_still_runs(number):
    before = signal.getsignal(number)

    async def serve():
        server = a_server(Signalled)
        server.number = number
        await server.serve(sockets=[bind_listener("test", "127.0.0.1", 0)])
        return "closed what was open"

    assert asyncio.run(serve()) == "closed what was open"
    assert signal.getsignal(number) is before


def test_outside_the_main_thread_no_handler_is_set():
    before, during = signal.getsignal(signal.SIGTERM), []

    def serve():
        with a_server().capture_signals():
            during.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=serve)
    thread.start()
    thread.join()

    assert during == [before]
