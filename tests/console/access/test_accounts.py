import re

import pytest

from console.rig import Site, add_users
from modicum.ledger.opening import open_store


@pytest.fixture(scope="module")
def store():
    opened = open_store(":memory:")
    yield opened
    opened.close()


@pytest.fixture
def site(store, tmp_path):
    made = Site(store, state=tmp_path)
    yield made
    made.console.close()


def shown_once(reply):
    return re.search(r'shown-once">([^<]*)<', reply.text)[1]


def test_the_first_owner_is_added_on_the_page_and_then_everybody_logs_in(site):
    assert "There are none" in site.get("/users").text
    assert "would be left" in site.post("/users/set", name="bob", roles="viewer:search").text
    reply = site.post("/users/set", name="ann", roles="owner")

    assert shown_once(reply).startswith("http://127.0.0.1:4101/login/link?link=ml_")
    assert site.get("/overview").status == 303


def test_an_owner_gives_roles_and_takes_users_away(site):
    add_users(site.asking.sources.state, ann="owner")
    ann = site.log_in("ann")
    added = site.post("/users/set", ann, name="<b>bob", roles="viewer:search editor:web")
    assert "&lt;b&gt;bob" in added.text
    assert "ml_" in shown_once(added)
    changed = site.post("/users/set", ann, name="<b>bob", roles="editor")
    assert "is editor now" in changed.text
    assert "ml_" not in changed.text
    assert "was removed" in site.post("/users/remove", ann, name="<b>bob").text
    assert "no user" in site.post("/users/link", ann, name="<b>bob").text
    assert "accepted are" in site.post("/users/set", ann, name="cem", roles="boss").text


def test_a_token_of_ones_own_is_shown_once_and_revoked_at_once(site):
    add_users(site.asking.sources.state, ann="owner", bob="viewer:search", cem="viewer")
    bob = site.log_in("bob")
    token = shown_once(site.post("/account/token", bob, name="nightly", scopes="read", days="30"))
    listed = site.get("/account", **bob).text
    token_id = re.search(r'name="id" value="([^"]*)"', listed)[1]
    headers = {"authorization": f"Bearer {token}"}

    assert token not in listed
    assert site.get("/overview", **headers).status == 200
    assert site.post("/account/token/revoke", site.log_in("cem"), id=token_id).status == 403
    assert site.post("/account/token/revoke", site.log_in("ann"), id=token_id).status == 303
    assert site.get("/overview", **headers).status == 303


@pytest.mark.parametrize("fields", [{"days": "0"}, {"days": "x"}, {"days": "99999"}, {"scopes": "all"}, {"scopes": ""}])
def test_a_token_that_cannot_be_is_refused(site, fields):
    add_users(site.asking.sources.state, ann="owner")

    assert site.post("/account/token", site.log_in("ann"), **({"name": "x", "scopes": "read"} | fields)).status == 400
