import asyncio
import importlib

import pytest

from modicum.outbound import event_loop


@pytest.fixture(params=["uvloop", "asyncio"])
def module(request, monkeypatch):
    """The name of a loop that a machine has."""
    with monkeypatch.context() as patch:
        if request.param == "asyncio":
            patch.setattr("importlib.util.find_spec", lambda _name: None)
        importlib.reload(event_loop)
    yield request.param
    importlib.reload(event_loop)


def test_it_runs_with_and_without_uvloop(module):
    loops = []

    async def begin() -> None:
        loops.append(type(asyncio.get_running_loop()).__module__)

    event_loop.run_loop(begin())

    assert module == event_loop.LOOP_NAME
    assert loops[0].startswith(module)
