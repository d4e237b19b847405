"""An API that refuses, is busy, or gives what is no report."""

import json
import threading
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from modicum.calls import UserError
from modicum.cli.reconciling.report_source import ReportSource

DAYS = date(2026, 11, 1), date(2026, 11, 3)
PAGE = {"data": [], "has_more": False, "next_page": None}


@contextmanager
def api(*answers):
    """Gives these answers one after the other, and the last one again and again: status, headers, document."""
    asked = []

    class Api(BaseHTTPRequestHandler):
        def do_GET(self):
            status, headers, document = answers[min(len(asked), len(answers) - 1)]
            asked.append((self.path, dict(self.headers)))
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def fetch(url, folder, waits=None, key="sk-admin-secret"):
    source = ReportSource("anthropic", url, key, (waits if waits is not None else []).append)
    return source.fetch(folder, *DAYS, with_keys=False)


def test_pages_are_followed_and_kept_as_they_came(tmp_path):
    first = {"data": [{"a": 1}], "has_more": True, "next_page": "two&x"}
    with api((200, {}, first), (200, {}, PAGE)) as (url, asked):
        paths = fetch(f"{url}/v1", tmp_path)

    assert [path.name for path in paths] == [
        "anthropic-usage-report-001.json",
        "anthropic-usage-report-002.json",
        "anthropic-costs-001.json",
    ]
    assert json.loads(paths[0].read_bytes()) == first
    assert asked[1][0].endswith("&page=two%26x")
    assert {headers["x-api-key"] for _, headers in asked} == {"sk-admin-secret"}


def test_who_is_busy_is_asked_again_when_he_says(tmp_path):
    waits = []
    with api((429, {"retry-after": "7"}, {}), (503, {}, {}), (200, {}, PAGE)) as (url, asked):
        assert len(fetch(url, tmp_path, waits)) == 2

    assert len(asked) == 4
    assert 7 <= waits[0] <= 8
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("answer", "why", "tries"),
    [
        (
            (401, {}, {"error": {"message": "invalid\nkey"}}),
            r"answers 401 \(invalid key\); it needs the key of an adm",
            1,
        ),
        ((403, {}, b"<html>"), "answers 403; it needs the key of an administrator", 1),
        ((400, {}, {"error": "odd"}), "answers 400$", 1),
        ((429, {"retry-after": "3600"}, {}), "answers 429; run it again later", 1),
        ((500, {}, {}), r"answers 500 \(4 tries\); run it again later", 4),
        ((200, {}, b"<html>"), "gives no page of a report; is http", 1),
        ((200, {}, [1]), "gives no page of a report", 1),
        ((200, {}, b"[" * 100_000), "gives no page of a report", 1),
        ((200, {}, {"data": [], "has_more": True, "next_page": "same"}), "comes to no end after 2 pages", 2),
    ],
)
def test_what_is_wrong_is_one_line_without_the_key(answer, why, tries, tmp_path):
    with api(answer) as (url, asked), pytest.raises(UserError, match=why) as refused:
        fetch(url, tmp_path)

    assert len(asked) == tries
    assert "secret" not in str(refused.value)


def test_an_address_where_nobody_answers_is_tried_four_times(tmp_path):
    waits = []
    with pytest.raises(UserError, match=r"does not answer.*4 tries"):
        fetch("http://127.0.0.1:1", tmp_path, waits)

    assert len(waits) == 3
