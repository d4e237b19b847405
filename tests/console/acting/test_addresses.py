import re

import pytest

from modicum.settings import read_settings


def choice(site, who, name):
    page = site.get("/budgets", **site.log_in(who)).text
    return re.search(rf'value="([0-9a-f]+\|{name})"', page)[1]


def test_a_budget_is_set_raised_and_taken_back_on_the_page(site):
    eve = site.log_in("eve")
    seen = choice(site, "eve", "search")
    assert site.post("/budgets/set", eve, budget=seen, limit="60").headers["location"] == "/budgets"
    conflict = site.post("/budgets/set", eve, budget=seen, limit="70")
    assert (conflict.status, "changed meanwhile" in conflict.text) == (409, True)
    raised = site.post("/budgets/raise", eve, budget=choice(site, "eve", "search"), limit="90", until="4h", why="<b>x")
    assert raised.status == 303
    page = site.get("/budgets", **eve).text
    assert "&lt;b&gt;x" in page
    site.post("/budgets/lower", eve, budget="search", **{"raise": re.search(r'name="raise" value="([^"]*)"', page)[1]})
    change = re.search(r'name="change" value="([^"]*)"', page)[1]
    assert site.post("/waste/undo", eve, change=change, page="budgets").headers["location"] == "/budgets"
    again = site.post("/waste/undo", eve, change=change)

    assert (again.status, "taken back already" in again.text) == (400, True)
    assert read_settings().budget[1].limit_usd == 50
    assert "(raised)" not in site.get("/budgets", **eve).text


def test_a_budget_is_added_on_the_page(site):
    reply = site.post("/budgets/add", site.log_in("ted"), name="day", per="day", limit="5", unit="usd", team="search")

    assert reply.status == 303
    assert read_settings().budget[2].team == "search"


def test_a_key_is_shown_once_and_revoked(site):
    eve = site.log_in("eve")
    shown = site.post("/keys/issue", eve, name="<i>ci", team="search", models="gpt-* o3")
    key = re.search(r'shown-once">([^<]*)<', shown.text)[1]
    listed = site.get("/budgets", **eve).text
    assert key.startswith("mk_")
    assert key not in listed
    assert "&lt;i&gt;ci" in listed
    key_id = re.search(r'name="id"><option value="([^"]*)"', listed)[1]

    assert site.post("/keys/revoke", eve, id=key_id).status == 303
    assert site.post("/keys/revoke", eve, id=key_id).status == 400
    assert "Revoke a key" not in site.get("/budgets", **eve).text


def test_a_change_of_a_replay_is_written_and_leads_back(site):
    eve = site.log_in("eve")
    reply = site.post("/waste/apply", eve, what_if="keep_warm=auto", back="?since=7d")
    elsewhere = site.post("/waste/apply", eve, what_if="reply_cache=1h", back="//evil")

    assert (reply.status, reply.headers["location"]) == (303, "/waste?since=7d")
    assert elsewhere.headers["location"] == "/waste"
    assert read_settings().optimize.keep_warm
    assert read_settings().reply_cache[0].seconds == 3600


@pytest.mark.parametrize(("who", "forms"), [("vic", 0), ("ted", 3), ("eve", 3)])
def test_forms_are_shown_to_who_may_use_them(site, who, forms):
    page = site.get("/budgets", **site.log_in(who)).text

    assert page.count('action="/budgets/') == forms
    assert ('action="/keys/' in page) is bool(forms)
