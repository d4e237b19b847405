"""Alerts posted to a real server: in order, again until they are taken, given up at last, and with no secret shown."""

import asyncio
import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from modicum.governance.alerts import Alert, AlertKind
from modicum.ledger_process.watching.alert_log import AlertLog
from modicum.ledger_process.watching.alert_post import LONGEST_WAIT_S, MOST_REFUSALS, AlertPost, document_of
from modicum.outbound.client import Outbound
from modicum.outbound.hosts import AllowedHosts
from modicum.settings.governance.alerts import Webhook


class Receiver(HTTPServer):
    """A webhook's end that answers as it is told."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.headers, self.posted = [], {}, []
        self.url = f"http://127.0.0.1:{self.server_port}/T000/secret-path"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.posted.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.server.headers = dict(self.headers)
        status = self.server.answers.pop(0) if self.server.answers else 200
        self.send_response(status)
        if status == 429:
            self.send_header("retry-after", "7")
        if status == 302:
            self.send_header("location", "http://127.0.0.1:1/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def serving():
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def receiver():
    with serving() as server:
        yield server


class Post:
    def __init__(self, folder, url, body="event", headers=None):
        self.lines, self.counts = [], {"dropped": 0, "failed": 0}
        self.log = AlertLog(folder)
        self.webhook = Webhook(url, headers or {}, body)
        self.post = AlertPost(
            self.webhook,
            self.log,
            self.lines.append,
            dropped=lambda count: self.count("dropped", count),
            failed=lambda: self.count("failed", 1),
            chance=lambda: 1.0,
        )

    def count(self, what, count):
        self.counts[what] += count

    def add(self, *subjects, at=None):
        at = at or datetime.now(UTC)
        alerts = [
            Alert(kind=AlertKind.CIRCUIT_OPEN, subject=one, at=at, text=f"{one} is open", facts={"upstream": one})
            for one in subjects
        ]
        self.log.record(alerts, {}, has_webhook=True)

    def rounds(self, count):
        """So many tries; how long is waited after each."""

        async def run():
            async with Outbound(AllowedHosts([self.webhook.url]), timeout_s=2.0) as outbound:
                return [await self.post.post_next(outbound) for _ in range(count)]

        return asyncio.run(run())


def test_alerts_are_posted_in_order_and_each_once(tmp_path, receiver):
    post = Post(tmp_path, receiver.url, headers={"x-token": "abc"})
    post.add("openai", "gemini")

    assert post.rounds(3)[:2] == [0.0, 0.0]
    assert [one["facts"]["upstream"] for one in receiver.posted] == ["openai", "gemini"]
    assert (receiver.posted[0]["event"], receiver.posted[0]["kind"]) == ("alert", "circuit_open")
    assert receiver.headers["x-token"] == "abc"
    assert post.lines == []


def test_chat_services_get_a_text_alone(tmp_path, receiver):
    post = Post(tmp_path, receiver.url, body="text")
    post.add("openai")
    post.rounds(1)

    assert receiver.posted == [{"text": "modicum: openai is open"}]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_kind_of_yes_is_one(tmp_path, receiver, status):
    receiver.answers = [status]
    post = Post(tmp_path, receiver.url)
    post.add("openai")
    post.rounds(2)

    assert len(receiver.posted) == 1
    assert post.log.newest(1)[0].delivery == "delivered"


def test_one_that_is_not_taken_is_posted_again_with_growing_waits(tmp_path, receiver):
    receiver.answers = [500, 503, 429, 200]
    post = Post(tmp_path, receiver.url)
    post.add("openai")

    assert post.rounds(4) == [1.0, 2.0, 7.0, 0.0]
    assert post.log.newest(1)[0].delivery == "delivered"
    assert post.counts == {"dropped": 0, "failed": 3}
    assert "answers with status 500" in post.lines[0]
    assert "go to" in post.lines[-1]
    assert len(post.lines) == 2
    assert "secret-path" not in str(post.lines)


def test_one_that_is_refused_again_and_again_is_given_up_and_the_next_one_goes(tmp_path, receiver):
    receiver.answers = [400] * MOST_REFUSALS
    post = Post(tmp_path, receiver.url)
    post.add("bad", "good")
    post.rounds(MOST_REFUSALS + 1)

    assert [one.delivery for one in post.log.newest(2)] == ["delivered", "dropped"]
    assert post.counts["dropped"] == 1


def test_a_redirect_is_not_followed(tmp_path, receiver):
    receiver.answers = [302]
    post = Post(tmp_path, receiver.url)
    post.add("openai")

    assert post.rounds(1) == [1.0]
    assert post.log.newest(1)[0].delivery == "waiting"


def test_nobody_there_is_waited_for_a_day_at_most(tmp_path):
    with serving() as server:
        url = server.url
    post = Post(tmp_path, url)
    post.add("openai")
    waits = post.rounds(12)
    assert waits[-1] == LONGEST_WAIT_S
    assert post.log.newest(1)[0].delivery == "waiting"
    post.log.mark(1, "delivered")
    post.add("old", at=datetime.now(UTC) - timedelta(hours=25))
    post.rounds(1)

    assert post.log.newest(1)[0].delivery == "dropped"


def test_what_is_posted_leads_to_the_view_that_shows_it():
    alert = Alert(kind=AlertKind.UNKNOWN_PRICE, subject="x", at=datetime.now(UTC), text="no price")
    event, chat = (Webhook("http://a", {}, body, "https://m.example") for body in ("event", "text"))

    assert document_of(alert, event)["link"] == "https://m.example/where?by=model"
    assert document_of(alert, chat) == {"text": "modicum: no price https://m.example/where?by=model"}
    assert "link" not in document_of(alert, Webhook("http://a", {}))
