"""What is refused before any page is made, and what every reply says to the browser.

A page on the web can point its own name to this machine, or have its readers' browsers send forms here. It cannot
choose the `Host` and the `Origin` that they send, so others than ours give it away.
"""

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),  # without any, browsers say `Origin: null` of our own forms
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
API = "/api/"
SAFE = frozenset({"GET", "HEAD"})


def names_of(host: str, port: int) -> frozenset[bytes]:
    """The `Host` headers of a console that listens there, on this machine only."""
    hosts = {host, "127.0.0.1", "localhost", "[::1]"}
    shown = {f"[{name}]" if ":" in name and not name.startswith("[") else name for name in hosts}
    names = {f"{name}:{port}" for name in shown}
    return frozenset(name.encode() for name in (names | shown if port == 80 else names))


class RequestGuard:
    """Lets requests in that name us as their host, and changes only from our own pages.

    Args:
        app: what answers those.
        hosts: the `Host` headers that are ours.
        public_url: under which a proxy shows the console to others, as `https://spend.example.com`; empty: none does.
    """

    def __init__(self, app: App, hosts: Collection[bytes], public_url: str = "") -> None:
        self._app = app
        self._origins = {host.lower(): b"http://" + host.lower() for host in hosts}
        if public_url:
            parts = urlsplit(public_url.lower())
            self._origins[parts.netloc.encode()] = f"{parts.scheme}://{parts.netloc}".encode()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        if reason := self._fault(scope):
            body = f"{reason}\n".encode()
            head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
            await send_guarded({"type": "http.response.start", "status": 403, "headers": head})
            await send({"type": "http.response.body", "body": body})
            return
        await self._app(scope, receive, send_guarded)

    def _fault(self, scope: MutableMapping[str, Any]) -> str:
        hosts = [value.lower() for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or hosts[0] not in self._origins:
            return (
                "the console is not known by that name: open it at the address that you were given, or ask who runs it "
                "to set this one as console.public_url"
            )
        if scope["method"] in SAFE:
            return ""
        origins = [value.lower() for name, value in scope["headers"] if name == b"origin"]
        if not origins and scope["path"].startswith(API):
            return ""  # a program: browsers say where they send from
        if origins != [self._origins[hosts[0]]]:
            return "changes are taken from pages of this console only"
        return ""
