"""The console without a browser: its application is asked directly."""

import asyncio
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from modicum.calls import UserError
from modicum.console.answers import Answers
from modicum.console.app import Console, make_app
from modicum.console.asking import Asking, Sources
from modicum.metering.prices import PriceBook
from modicum.settings import Settings
from modicum.settings.showing.people import PeopleSettings

DIGEST_KEY = bytes(range(64))
HOST = b"127.0.0.1:4101"


def no_audit(_scope, _changes):
    raise UserError("nothing is replayed in this test")


class Reply(NamedTuple):
    status: int
    headers: dict
    text: str


def asking_of(store, *, settings=None, state=None, live=None, audit=None, **sources):
    @contextmanager
    def opened():
        yield store

    return Asking(
        Sources(
            open_store=opened,
            read_settings=lambda: settings or Settings(timezone="UTC", people=PeopleSettings(me=("ada",))),
            prices=PriceBook(),
            state=state or Path("none"),
            audit=audit or no_audit,
            find_live=lambda: live,
            digest_key=DIGEST_KEY,
            **sources,
        ),
        Answers(),
    )


class Site:
    """A console over one store."""

    def __init__(self, store, **sources):
        self.asking = asking_of(store, **sources)
        self.console = Console(self.asking)
        self.app = make_app(self.console, frozenset({HOST}))

    def console_token(self):
        """The token that stands in this console's forms."""
        return self.console.gate.form_token(None)

    def get(self, address, method="GET", body=b"", host=HOST, **headers):
        path, _, query = address.partition("?")
        sent = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            sent.append(message)

        lines = [(b"host", host)] if host is not None else []
        lines += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "scheme": "http",
            "query_string": query.encode(),
            "headers": lines,
            "server": ("127.0.0.1", 4101),
            "client": ("127.0.0.1", 50000),
        }
        asyncio.run(self.app(scope, receive, send))
        head = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        text = b"".join(message.get("body", b"") for message in sent[1:]).decode()
        return Reply(sent[0]["status"], head, text)
