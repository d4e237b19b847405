"""The console without a browser: its application is asked directly."""

import asyncio
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, NamedTuple
from urllib.parse import urlencode

from modicum.calls import UserError
from modicum.console.access.access_file import AccessFile
from modicum.console.access.viewer import Viewer
from modicum.console.answers import Answers
from modicum.console.app import Console, make_app
from modicum.console.asking import Asking, Sources
from modicum.governance.access.tokens import issue_token
from modicum.governance.access.users import parse_roles, set_user
from modicum.metering.prices import PriceBook
from modicum.settings import Settings
from modicum.settings.showing.people import PeopleSettings

DIGEST_KEY = bytes(range(64))
HOST = b"127.0.0.1:4101"


def no_audit(_scope, _changes):
    raise UserError("nothing is replayed in this test")


def add_users(folder, **roles):
    """Users of the console with these roles, as `add_users(state, ann="owner", bob="viewer:search")`."""
    access = AccessFile(folder)
    for name, words in roles.items():
        access.change(
            lambda now, name=name, words=words: set_user(
                now.users, name, parse_roles(words.split()), datetime.now(UTC), "test"
            )
        )
    access.close()


class Reply(NamedTuple):
    status: int
    headers: dict
    text: str


def asking_of(store, *, settings=None, read_settings=None, state=None, live=None, audit=None, **sources):
    @contextmanager
    def opened():
        yield store

    return Asking(
        Sources(
            open_store=opened,
            read_settings=read_settings
            or (lambda: settings or Settings(timezone="UTC", people=PeopleSettings(me=("ada",)))),
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
    """A console over one store. Who makes it closes its console: in tests/console a fixture does."""

    made: ClassVar = []

    def __init__(self, store, *, settings=None, **sources):
        self.made.append(self)
        self.asking = asking_of(store, settings=settings, **sources)
        self.console = Console(self.asking)
        self.app = make_app(self.console, frozenset({HOST}), (settings or Settings()).console.public_url)

    def console_token(self):
        """The token that stands in this console's forms."""
        return self.console.gate.form_token(None)

    def log_in(self, name):
        """The headers with which a user's browser asks."""
        now = datetime.now(UTC)
        session = self.console.gate.sessions.begin(name, now, now + timedelta(hours=1))
        return {"cookie": f"{self.console.gate.cookie}={session}"}

    def issue_token(self, name, *scopes):
        """The headers with which a user's program asks."""
        now = datetime.now(UTC)
        token, event = issue_token(name, "ci", scopes, now, "test", now + timedelta(days=1), DIGEST_KEY)
        self.console.gate.access.change(lambda _access: event)
        return {"authorization": f"Bearer {token}"}

    def post(self, address, headers=None, **fields):
        """Sends a form as a page of this session does."""
        headers = headers or {}
        text = headers.get("cookie", "").partition("=")[2]
        session = self.console.gate.sessions.find(text, datetime.now(UTC))
        token = self.console.gate.form_token(
            None if session is None else Viewer(name="", roles={}, session_id=session.session_id)
        )
        body = urlencode({"token": token} | fields).encode()
        return self.get(address, "POST", body, origin=f"http://{HOST.decode()}", **headers)

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
