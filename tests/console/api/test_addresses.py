import json

import pytest

from console.rig import Site, add_users
from ledger.samples import entry
from modicum.calls import Owner
from modicum.ledger.opening import open_store
from modicum.settings import read_settings

SETTINGS = '[[budget]]\nname = "search"\nper = "month"\nlimit_usd = 50\nteam = "search"\n'


@pytest.fixture(scope="module")
def store():
    opened = open_store(":memory:")
    opened.append([entry("c1", "1.25", owner=Owner(team="search")), entry("c2", "2.5", owner=Owner(team="web"))])
    yield opened
    opened.close()


@pytest.fixture
def ask(store, tmp_path, monkeypatch):
    """Asks the API as a program of a user; says status and document."""
    (tmp_path / "modicum.toml").write_text(SETTINGS)
    monkeypatch.setenv("MODICUM_CONFIG", str(tmp_path / "modicum.toml"))
    add_users(tmp_path, ann="owner", ted="editor:search")
    site = Site(store, state=tmp_path, read_settings=read_settings)
    tokens = {name: site.issue_token(name, "read", "budgets", "keys", "settings") for name in ("ann", "ted")}

    def ask_as(who, method, path, document=None, **headers):
        body = b"" if document is None else json.dumps(document).encode()
        kind = {"content_type": "application/json"} | headers
        reply = site.get(f"/api/v1{path}", method, body, **kind, **tokens.get(who, {}))
        return reply.status, json.loads(reply.text) if reply.text else None

    yield ask_as
    site.console.close()


def test_a_page_says_what_it_shows(ask):
    status, page = ask("ted", "GET", "/pages/overview")
    (row,) = next(table for table in page["tables"] if table["name"] == "spend-by-model")["rows"]

    assert (status, page["title"], page["is_replaying"]) == (200, "Overview", False)
    assert row[1] == {"text": "$1.25", "value": 1.25, "basis": "exact"}
    assert ask("ann", "GET", "/pages/overview?where=team%3Dweb")[1]["tables"][0]["rows"][0][1]["value"] == 2.5
    assert ask("ted", "GET", "/pages/overview?where=team%3Dweb")[0] == 403
    assert ask("ted", "GET", "/pages/waste")[0] == 403
    assert "waste" not in {one["name"] for one in ask("ted", "GET", "/pages")[1]}
    assert ask("ted", "GET", "/me")[1]["roles"] == {"search": "editor"}


def test_a_limit_that_is_small_is_not_nothing(ask):
    new = {"name": "tiny", "per": "day", "unit": "usd", "limit": 2e-7, "team": "search"}

    assert ask("ted", "POST", "/budgets", new)[0] == 200
    assert {one["name"]: one["limit"] for one in ask("ted", "GET", "/budgets")[1]}["tiny"] == 2e-7


def test_a_budget_is_set_raised_and_lowered(ask):
    (budget,) = ask("ted", "GET", "/budgets")[1]
    assert (budget["limit"], budget["unit"]) == (50, "usd")
    status, change = ask("ted", "PUT", "/budgets/search/limit", {"limit": 60.5, "version": budget["version"]})
    assert (status, change["now"]) == (200, "60.5")
    assert ask("ted", "PUT", "/budgets/search/limit", {"limit": 70, "version": budget["version"]})[0] == 409
    (budget,) = ask("ted", "GET", "/budgets")[1]
    asked = {"limit": 90, "until": "4h", "why": "launch", "version": budget["version"]}
    raised = ask("ted", "POST", "/budgets/search/raises", asked)[1]
    assert ask("ted", "GET", "/budgets")[1][0]["raises"][0]["raise_id"] == raised["raise_id"]
    assert ask("ted", "DELETE", f"/budgets/search/raises/{raised['raise_id']}") == (204, None)
    new = {"name": "day", "per": "day", "unit": "calls", "limit": 9}
    assert ask("ted", "POST", "/budgets", new)[0] == 403
    assert ask("ted", "POST", "/budgets", new | {"team": "search"})[0] == 200
    assert [one.name for one in read_settings().budget] == ["search", "day"]


def test_a_key_is_shown_once_and_revoked(ask):
    key = ask("ted", "POST", "/keys", {"name": "ci", "team": "search"})[1]
    (listed,) = ask("ted", "GET", "/keys")[1]
    assert key["key"].startswith("mk_")
    assert key["key"] not in repr(listed)
    assert ask("ted", "DELETE", f"/keys/{key['key_id']}") == (204, None)

    assert ask("ted", "GET", "/keys")[1][0]["revoked_at"]
    assert ask("ted", "DELETE", "/keys/none")[0] == 400


def test_a_change_of_the_settings_is_made_and_taken_back(ask):
    change = ask("ann", "POST", "/settings/changes", {"what_if": "keep_warm=auto"})[1]
    assert read_settings().optimize.keep_warm
    assert ask("ann", "GET", "/settings/changes")[1] == [change]
    assert ask("ann", "DELETE", f"/settings/changes/{change['change_id']}") == (204, None)
    assert not read_settings().optimize.keep_warm


@pytest.mark.parametrize(
    ("method", "path", "document", "headers", "status"),
    [
        ("GET", "/nothing", None, {}, 404),
        ("GET", "/pages/nothing", None, {}, 404),
        ("PATCH", "/keys", None, {}, 405),
        ("POST", "/keys", {"name": "x"}, {"content_type": "text/plain"}, 415),
        ("POST", "/keys", {"name": "x", "more": 1}, {}, 400),
        ("POST", "/keys", {"name": ""}, {}, 400),
        ("POST", "/keys", {"name": "x" * 20_000}, {}, 413),
        ("POST", "/keys", [], {}, 400),
        ("PUT", "/budgets/none/limit", {"limit": 1, "version": "x"}, {}, 400),
        ("PUT", "/budgets/search/limit", {"limit": 1e300, "version": "x"}, {}, 409),
        ("GET", "/pages/overview?since=never", None, {}, 400),
        ("POST", "/keys", {"name": "x"}, {"origin": "http://evil.example"}, 403),
    ],
)
def test_what_cannot_be_is_said_as_json(ask, method, path, document, headers, status):
    reply = ask_or_text(ask, method, path, document, headers)

    assert reply[0] == status


def ask_or_text(ask, method, path, document, headers):
    try:
        status, fault = ask("ann", method, path, document, **headers)
    except json.JSONDecodeError:  # refused before anybody looked at the path
        return (403,)
    assert fault["status"] == status
    assert fault["error"]
    return (status,)


def test_without_a_token_nobody_is_let_in_and_sessions_open_nothing(ask):
    assert ask("nobody", "GET", "/keys")[0] == 401
    assert ask("nobody", "GET", "/keys", cookie="modicum-0=ms_x_y")[0] == 401
    assert ask("nobody", "GET", "/openapi.json")[0] == 200
