"""The verb before a server that plays Anthropic's gateway."""

import json
import re
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest
from click.testing import CliRunner

from modicum.calls import UserError
from modicum.cli.budgets.mirror import command
from modicum.settings import BudgetSettings

LIMITS = [
    {"id": "spl_1", "scope": {"type": "organization"}, "amount": "50000", "period": "monthly", "currency": "USD"},
    {"id": "spl_2", "scope": {"type": "rbac_group", "rbac_group_id": 'a "b"\n'}, "amount": "1050", "period": "daily"},
    {"id": "spl_3", "scope": {"type": "seat_tier", "seat_tier": "x"}, "amount": "1", "period": "daily"},
]


ASKED = []


class Claude(BaseHTTPRequestHandler):
    def do_GET(self):
        ASKED.append((self.path, dict(self.headers)))
        status, document = 200, {"data": LIMITS[:1], "next_page": "two&x"}
        if "page=" in self.path:
            document = {"data": LIMITS[1:], "next_page": None}
        if self.headers["x-api-key"] != "right":
            status, document = 403, {"type": "error", "error": {"message": "no such key"}}
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def url():
    with ThreadingHTTPServer(("127.0.0.1", 0), Claude) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def run(monkeypatch, *words, key="right"):
    monkeypatch.setenv("ADMIN", key)
    return CliRunner().invoke(command, [*words], standalone_mode=False)


def test_all_pages_become_rows_that_the_settings_take(url, monkeypatch, modicum):
    done = run(monkeypatch, url, "--key", "env:ADMIN")
    rows = msgspec.convert(tomllib.loads(done.output)["budget"], list[BudgetSettings])
    assert [(row.per, row.limit_usd, row.team, row.user) for row in rows] == [
        ("month", 500.0, "", "*"),
        ("day", 10.5, 'a "b"\n', "*"),
    ]
    assert "# limit 3 (spl_3): its scope 'seat_tier' has no counterpart here" in done.output
    assert [path for path, _ in ASKED[-2:]] == [
        "/v1/organizations/spend_limits?limit=1000",
        "/v1/organizations/spend_limits?limit=1000&page=two%26x",
    ]
    document = modicum("budget", "mirror", f"{url}/v1", "--key", "env:ADMIN", "--json").json
    assert len(document["budgets"]) == 2
    assert len(document["problems"]) == 1


@pytest.mark.parametrize(
    ("words", "key", "why"),
    [
        (["URL", "--key", "env:ADMIN"], "wrong", "answers 403.*no such key"),
        (["URL", "--key", "right"], "right", "env:NAME"),
        (["URL", "--key", "env:ADMIN"], "", "holds no key"),
        (["http://127.0.0.1:9", "--key", "env:ADMIN"], "right", "does not answer"),
    ],
)
def test_errors_say_what_to_do(url, monkeypatch, words, key, why):
    done = run(monkeypatch, *[url if word == "URL" else word for word in words], key=key)
    assert isinstance(done.exception, UserError)
    assert re.search(why, str(done.exception))
