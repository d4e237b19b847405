"""The mock provider on a socket of its own, as an upstream of a gateway."""

import threading
from contextlib import contextmanager

import uvicorn
import uvloop


@contextmanager
def served(app, bound):
    """An ASGI application in a thread, on a socket that listens already."""
    server = uvicorn.Server(uvicorn.Config(app, http="httptools", lifespan="off", log_config=None, ws="none"))
    thread = threading.Thread(target=lambda: uvloop.run(server.serve(sockets=[bound])))
    thread.start()
    yield
    server.should_exit = True
    thread.join(10)


def called(rig, ask):
    """What a client gets, and the call on record."""
    before = len(rig.records())
    reply = ask()
    return reply, rig.wait_for_records(before + 1)[-1]
