import asyncio
import os
import signal
import threading

import httpx2 as httpx
import pytest

from console.rig import asking_of
from modicum.calls import UserError
from modicum.console.server import bind_pages, make_config, run, serve_beside
from modicum.ledger.opening import open_store


def test_it_serves_until_it_is_ended(few_calls):
    bound = bind_pages("test", "127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    replies = []

    def visit():
        replies.append(httpx.get(f"{url}/overview", timeout=20))
        os.kill(os.getpid(), signal.SIGTERM)

    visitor = threading.Thread(target=visit)
    run(asking_of(few_calls).sources, bound, "127.0.0.1", visitor.start)
    visitor.join(10)

    assert replies[0].status_code == 200
    assert "$4.50" in replies[0].text


@pytest.mark.parametrize("beside", [False, True])
def test_a_signal_as_soon_as_the_address_is_shown_ends_it(few_calls, beside):
    bound = bind_pages("test", "127.0.0.1", 0)
    sources = asking_of(few_calls).sources
    ended = []

    async def ledger():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ledger")

    def end():
        os.kill(os.getpid(), signal.SIGINT)

    if beside:
        asyncio.run(serve_beside(ledger(), sources, bound, "127.0.0.1", end))
    else:
        run(sources, bound, "127.0.0.1", end)
    bound.close()

    assert ended == ["ledger"] * beside


def test_where_the_ledger_process_fails_the_pages_end():
    store = open_store(":memory:")

    async def fail():
        raise UserError("another one runs")

    bound = bind_pages("test", "127.0.0.1", 0)
    shown = []
    with pytest.raises(UserError, match="another one runs"):
        asyncio.run(serve_beside(fail(), asking_of(store).sources, bound, "127.0.0.1", lambda: shown.append(1)))
    bound.close()
    assert shown == [1]


def test_an_address_in_use_is_said():
    bound = bind_pages("test", "127.0.0.1", 0)
    with pytest.raises(UserError, match=r"test: .* cannot be listened on"):
        bind_pages("test", "127.0.0.1", bound.getsockname()[1])
    bound.close()


@pytest.mark.parametrize(("behind_proxy", "address"), [(False, "127.0.0.1"), (True, "203.0.113.9")])
def test_who_asks_is_believed_of_a_proxy_alone_where_there_is_one(behind_proxy, address):
    asked_from = []

    async def app(scope, _receive, _send):
        asked_from.append(scope["client"][0])

    config = make_config(app, behind_proxy=behind_proxy)
    config.load()
    headers = [(b"x-forwarded-for", b"203.0.113.9")]
    scope = {"type": "http", "headers": headers, "client": ("127.0.0.1", 5000), "asgi": {"version": "3.0"}}
    asyncio.run(config.loaded_app(scope, None, None))

    assert asked_from == [address]
