import re
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from urllib.parse import parse_qs, urlsplit

import pytest

from console.rig import Site, add_users
from modicum.console.access.login_limits import MOST_PER_NAME
from modicum.governance.access.passwords import hash_password
from modicum.governance.access.users import UserEvent
from modicum.ledger.opening import open_store

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def store():
    opened = open_store(":memory:")
    yield opened
    opened.close()


@pytest.fixture
def site(store, tmp_path):
    from datetime import UTC, datetime

    add_users(tmp_path, ann="owner", bob="viewer:search")
    made = Site(store, state=tmp_path)
    event = UserEvent(what="password", name="ann", at=datetime.now(UTC), by="test", password=hash_password(PASSWORD))
    made.console.gate.access.change(lambda _now: event)
    yield made
    made.console.close()


def cookie_of(reply):
    return {"cookie": reply.headers["set-cookie"].partition(";")[0]}


def test_a_password_logs_in_and_leads_to_what_was_asked_for(site):
    form = site.get("/login?next=/where%3Fby%3Dteam").text
    assert 'value="/where?by=team"' in form
    reply = site.post("/login", name="ann", password=PASSWORD, next="/where?by=team")

    assert (reply.status, reply.headers["location"]) == (303, "/where?by=team")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(reply.headers["set-cookie"].split("; "))
    assert site.get("/overview", **cookie_of(reply)).status == 200
    assert PASSWORD not in repr(reply)


@pytest.mark.parametrize(
    ("name", "password"), [("ann", "wrong wrong wrong"), ("nobody", PASSWORD), ("bob", ""), ("", "")]
)
def test_what_is_wrong_is_not_told_apart(site, name, password):
    reply = site.post("/login", name=name, password=password)

    assert reply.status == 403
    assert "name or password are wrong" in reply.text
    assert "set-cookie" not in reply.headers


def test_guessing_is_stopped_even_with_the_right_password_at_last(site, monkeypatch):
    monkeypatch.setattr("modicum.console.access.login.check_password", lambda password, _kept: password == PASSWORD)
    for _ in range(MOST_PER_NAME):
        assert site.post("/login", name="ann", password="guess").status == 403
    reply = site.post("/login", name="ann", password=PASSWORD)

    assert (reply.status, "set-cookie" in reply.headers) == (429, False)
    assert int(reply.headers["retry-after"]) > 0


def test_guesses_that_are_sent_at_once_are_no_more_than_guesses_one_after_another(site, monkeypatch):
    checked, all_asked = [], threading.Event()

    def check(password, _kept):
        checked.append(password)
        all_asked.wait(10)
        return False

    monkeypatch.setattr("modicum.console.access.login.check_password", check)
    with ThreadPoolExecutor(20) as pool:
        replies = [pool.submit(site.post, "/login", name="ann", password=f"guess {one}") for one in range(20)]
        refused = [reply.result() for reply in islice(as_completed(replies), 20 - MOST_PER_NAME)]
        all_asked.set()

    assert {reply.status for reply in refused} == {429}
    assert len(checked) == MOST_PER_NAME


def test_the_former_password_is_not_guessed_with_a_session_that_was_left_open(site, monkeypatch):
    monkeypatch.setattr("modicum.console.access.login.check_password", lambda *_words: False)
    session = site.log_in("ann")
    replies = [
        site.post("/account/password", session, former="guess", password="x" * 20) for _ in range(MOST_PER_NAME + 1)
    ]

    assert [reply.status for reply in replies] == [400] * MOST_PER_NAME + [429]


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil", "/a b", "javascript:x"])
def test_logging_in_leads_to_pages_of_ours_only(site, back, monkeypatch):
    monkeypatch.setattr("modicum.console.access.login.check_password", lambda *_words: True)

    assert site.post("/login", name="ann", password=PASSWORD, next=back).headers["location"] == "/"
    assert f'value="{back}"' not in site.get("/login?next=" + back.replace(" ", "%20")).text


def link_for(site, name):
    page = site.post("/users/link", site.log_in("ann"), name=name).text
    return parse_qs(urlsplit(re.search(r'shown-once">([^<]*)<', page)[1]).query)["link"][0]


def test_a_link_opens_once_and_looking_at_it_does_not_use_it_up(site):
    link = link_for(site, "bob")
    for _ in range(2):
        assert site.get(f"/login/link?link={link}").status == 200
    reply = site.post("/login/link", link=link)

    assert site.get("/overview", **cookie_of(reply)).status == 200
    again = site.post("/login/link", link=link)
    assert (again.status, "used already" in again.text) == (400, True)


def test_a_login_ends_the_session_before_it_and_logging_out_ends_this_one(site):
    first = site.log_in("bob")
    reply = site.post("/login/link", first, link=link_for(site, "bob"))
    second = cookie_of(reply)

    assert site.get("/overview", **first).status == 303
    assert site.post("/logout", second).headers["location"] == "/login"
    assert site.get("/overview", **second).status == 303


def test_a_new_password_needs_the_former_one_and_ends_other_sessions(site):
    mine, elsewhere = site.log_in("ann"), site.log_in("ann")
    wrong = site.post("/account/password", mine, former="wrong", password="another long password")
    short = site.post("/account/password", mine, former=PASSWORD, password="short")
    done = site.post("/account/password", mine, former=PASSWORD, password="another long password")

    assert (wrong.status, short.status, done.status) == (400, 400, 303)
    assert site.get("/overview", **elsewhere).status == 303
    assert site.get("/overview", **cookie_of(done)).status == 200


def test_where_there_are_no_users_nobody_needs_to_log_in(store, tmp_path):
    site = Site(store, state=tmp_path)

    assert site.get("/overview").status == 200
    assert "on the page Users" in site.post("/account/password", password="x" * 20).text
    site.console.close()
