"""The least that a gateway does, as an ASGI application: one request in, the same request out. CLIENT says by what."""

import os

UPSTREAM = f"http://127.0.0.1:{os.environ.get('UPSTREAM_PORT', '9')}"
CLIENT = os.environ.get("CLIENT", "own")
pool = None


async def own(body):
    from modicum.outbound.hosts import Origin
    from modicum.outbound.keepalive import Connections
    from modicum.outbound.request_heads import request_head

    global pool  # noqa: PLW0603 - one pool a process
    if pool is None:
        pool = Connections(), Origin("127.0.0.1", int(os.environ["UPSTREAM_PORT"]), tls=False)
    connections, origin = pool
    head = request_head(b"POST", b"/v1", origin, [(b"content-type", b"application/json")], len(body))
    return await (await connections.send(origin, head, body)).rest(1_000_000)


async def by_aiohttp(body):
    import aiohttp

    global pool  # noqa: PLW0603 - one pool a process
    pool = pool or aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    async with pool.post(UPSTREAM + "/v1", data=body, headers={"content-type": "application/json"}) as reply:
        return await reply.read()


async def by_pyreqwest(body):
    from pyreqwest.client import ClientBuilder

    global pool  # noqa: PLW0603 - one pool a process
    pool = pool or ClientBuilder().build()
    reply = await pool.post(UPSTREAM + "/v1").body_bytes(body).header("content-type", "application/json").build().send()
    return bytes(await reply.bytes())


ASK = {"own": own, "aiohttp": by_aiohttp, "pyreqwest": by_pyreqwest}[CLIENT]


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = await ASK(body)
    head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": answer})
