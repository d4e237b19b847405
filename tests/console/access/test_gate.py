"""Role by address: what each answers to whom. The addresses come from the application, so a new one without a line
here fails.
"""

import re

import pytest

from console.rig import Site, add_users
from ledger.samples import entry
from modicum.calls import Owner
from modicum.console.pages import PAGES
from modicum.governance.access.tokens import TokenScope
from modicum.ledger.opening import open_store
from modicum.settings import Settings
from modicum.settings.console import ConsoleSettings

ROLES = {"ann": "owner", "eve": "editor", "vic": "viewer", "ted": "editor:search", "tom": "viewer:search"}
WHO = ("nobody", "tom", "ted", "vic", "eve", "ann")
OPEN, LOGGED_IN = "yes yes yes yes yes yes", "no yes yes yes yes yes"
EDITORS, ALL_EDITORS, OWNERS = "no no yes no yes yes", "no no no no yes yes", "no no no no no yes"
MATRIX = {
    "GET /": OPEN,
    "GET /healthz": OPEN,
    "GET /static/{name}": OPEN,
    "GET /login": OPEN,
    "POST /login": OPEN,
    "GET /login/link": OPEN,
    "POST /login/link": OPEN,
    "GET /login/oidc": OPEN,
    "GET /login/oidc/back": OPEN,
    "POST /logout": LOGGED_IN,
    "GET /account": LOGGED_IN,
    "POST /account/password": LOGGED_IN,
    "POST /account/token": LOGGED_IN,
    "POST /account/token/revoke": LOGGED_IN,
    "GET /users": OWNERS,
    "POST /users/set": OWNERS,
    "POST /users/link": OWNERS,
    "POST /users/remove": OWNERS,
    "POST /users/erase": OWNERS,
    "POST /users/retention": OWNERS,
    "POST /budgets/set": EDITORS,
    "POST /budgets/add": EDITORS,
    "POST /budgets/raise": EDITORS,
    "POST /budgets/lower": EDITORS,
    "POST /keys/issue": EDITORS,
    "POST /keys/revoke": EDITORS,
    "POST /waste/apply": ALL_EDITORS,
    "POST /waste/undo": ALL_EDITORS,
    "GET /api/v1/openapi.json": OPEN,
    "GET /api/v1/me": LOGGED_IN,
    "GET /api/v1/pages": LOGGED_IN,
    "GET /api/v1/pages/{page}": LOGGED_IN,
    "GET /api/v1/budgets": EDITORS,
    "POST /api/v1/budgets": EDITORS,
    "PUT /api/v1/budgets/{name}/limit": EDITORS,
    "POST /api/v1/budgets/{name}/raises": EDITORS,
    "DELETE /api/v1/budgets/{name}/raises/{raise_id}": EDITORS,
    "GET /api/v1/keys": LOGGED_IN,
    "POST /api/v1/keys": EDITORS,
    "DELETE /api/v1/keys/{key_id}": EDITORS,
    "GET /api/v1/settings/changes": ALL_EDITORS,
    "POST /api/v1/settings/changes": ALL_EDITORS,
    "DELETE /api/v1/settings/changes/{change_id}": ALL_EDITORS,
    "GET /{page}": LOGGED_IN,
    "GET /{page}/{table}.csv": LOGGED_IN,
}
"""Who may come to each address: nobody known, viewer of a team, its editor, viewer of all, editor of all, owner."""
PAGES_OF_ALL_TEAMS = {"energy", "experiments", "month", "waste", "teams"}


@pytest.fixture(scope="module")
def store():
    opened = open_store(":memory:")
    opened.append([entry("c1", owner=Owner(team="search"), task="T1"), entry("c2", owner=Owner(team="web"), task="T2")])
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def site(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("state")
    add_users(folder, **ROLES)
    made = Site(store, state=folder)
    yield made
    made.console.close()


@pytest.fixture
def own_site(store, tmp_path):
    add_users(tmp_path, **ROLES)
    made = Site(store, state=tmp_path)
    yield made
    made.console.close()


def ask(site, who, address, **fields):
    method, _, path = address.partition(" ")
    path = path.replace("{name}", "console.css").replace("{page}", "overview").replace("{table}", "spend-by-model")
    if path.startswith("/api/"):
        headers = {} if who == "nobody" else site.issue_token(who, *TokenScope)
        return site.get(path, method, b"{}", content_type="application/json", **headers)
    headers = {} if who == "nobody" else site.log_in(who)
    return site.post(path, headers, **fields) if method == "POST" else site.get(path, **headers)


def is_let_in(reply, who):
    if who == "nobody" and reply.headers.get("location", "").startswith("/login?"):
        return False
    return not (reply.status == 401 or "you may not do that: " in reply.text or "of all teams together" in reply.text)


def test_every_address_has_a_rule_and_a_line(site):
    addresses = {f"{method} {path}" for method, path in site.console.gate.rules}

    assert addresses == set(MATRIX)
    assert len(addresses) == len(site.console.routes())


@pytest.mark.parametrize("address", MATRIX)
def test_an_address_lets_in_whom_it_should(site, address):
    answers = [is_let_in(ask(site, who, address), who) for who in WHO]

    assert dict(zip(WHO, answers, strict=True)) == dict(
        zip(WHO, [one == "yes" for one in MATRIX[address].split()], strict=True)
    )


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_pages_of_all_teams_are_closed_to_who_sees_one(site, page):
    statuses = {who: ask(site, who, f"GET /{page}").status for who in WHO}
    closed = page in PAGES_OF_ALL_TEAMS

    assert statuses == {"nobody": 303, "tom": 403 if closed else 200, "ted": 403 if closed else 200} | dict.fromkeys(
        ("vic", "eve", "ann"), 200
    )


@pytest.mark.parametrize("page", [page.name for page in PAGES if page.name not in PAGES_OF_ALL_TEAMS])
def test_neither_a_page_nor_an_address_shows_another_team(site, page):
    viewer = site.log_in("tom")

    assert "web" not in re.sub(r"<(header|option)[^>]*>.*?</\1>", "", site.get(f"/{page}", **viewer).text)
    assert site.get(f"/{page}?where=team%3Dweb", **viewer).status == 403
    assert site.get("/tasks?task=T2", **viewer).status == 403
    assert site.get("/where?by=kind", **viewer).status == 403


def test_nobody_is_sent_to_the_login_page_and_back(site):
    reply = site.get("/where?by=team&since=7d")

    assert reply.headers["location"] == "/login?next=/where%3Fby%3Dteam%26since%3D7d"


def test_a_token_opens_what_its_scopes_and_its_user_may(own_site):
    read, keys = own_site.issue_token("vic", "read"), own_site.issue_token("vic", "keys")

    assert own_site.get("/overview", **read).status == 200
    assert own_site.get("/overview", **keys).status == 403
    assert own_site.get("/users", **own_site.issue_token("vic", "read", "users")).status == 403
    assert own_site.get("/overview", authorization="Bearer mt_x_y").status == 303
    assert own_site.get("/overview", authorization="Bearer " + "m" * 5000).status == 303


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("/account/token", {"name": "more", "scopes": "read users", "days": "9"}),
        ("/account/token/revoke", {"id": "x"}),
        ("/account/password", {"password": "a password of the thief"}),
        ("/users/set", {"name": "thief", "roles": "owner"}),
        ("/keys/issue", {"name": "k"}),
    ],
)
def test_a_token_sends_no_forms_by_which_it_would_become_more_than_it_is(own_site, address, fields):
    token = own_site.issue_token("ann", *TokenScope)
    reply = own_site.post(address, token, **fields)

    assert (reply.status, "under /api/v1" in reply.text) == (403, True)
    assert "set-cookie" not in reply.headers


def test_what_was_revoked_closes_open_tabs_at_once(own_site):
    session, token = own_site.log_in("vic"), own_site.issue_token("vic", "read")
    assert own_site.get("/overview", **session).status == 200
    add_users(own_site.asking.sources.state, vic="viewer:search")
    assert own_site.get("/waste", **session).status == 403
    own_site.post("/users/remove", own_site.log_in("ann"), name="vic")

    assert own_site.get("/overview", **session).status == 303
    assert own_site.get("/overview", **token).status == 303
    add_users(own_site.asking.sources.state, vic="owner")
    assert own_site.get("/overview", **token).status == 303


def test_a_form_of_another_session_is_refused(site):
    ann, eve = site.log_in("ann"), site.log_in("eve")
    form = site.get("/users", **ann).text
    token = re.search(r'name="token" value="([^"]*)"', form)[1]
    body = f"token={token}&name=x&roles=owner".encode()

    assert site.get("/users/set", "POST", body, origin="http://127.0.0.1:4101", **eve).status == 403
    assert site.get("/users/set", "POST", body, origin="http://127.0.0.1:4101", **site.log_in("ann")).status == 403
    assert site.get("/users/set", "POST", body, origin="http://evil.example", **ann).status == 403
    many = b"&".join(b"a=%d" % number for number in range(50))
    assert site.get("/users/set", "POST", many, origin="http://127.0.0.1:4101", **ann).status == 400


def test_others_reach_a_console_only_once_it_has_users(store, tmp_path):
    settings = Settings(timezone="UTC", console=ConsoleSettings(public_url="https://spend.example.com"))
    site = Site(store, settings=settings, state=tmp_path)

    for host in (b"spend.example.com", b"127.0.0.1:4101"):  # which a proxy sends that nobody told to send its own
        assert "has no users yet" in site.get("/overview", host=host).text
        assert site.get("/api/v1/keys", host=host).status == 403
        assert site.get("/healthz", host=host).status == 200
    add_users(tmp_path, ann="owner")
    assert site.get("/overview", host=b"spend.example.com").status == 303
    assert "__Host-modicum" in site.log_in("ann")["cookie"]
    site.console.close()
