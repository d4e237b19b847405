import csv
import html
import io
import re
from urllib.parse import quote

import pytest

from console.rig import Site
from ledger.samples import entry
from modicum.calls import Owner, UserError
from modicum.console.guards import POLICY
from modicum.console.page import ON_MACHINE
from modicum.console.pages import PAGES
from modicum.ledger.opening import open_store

NAMES = [page.name for page in PAGES]


@pytest.mark.parametrize("page", NAMES)
def test_pages_of_an_empty_ledger_say_what_to_do(empty_site, page):
    reply = empty_site.get(f"/{page}")

    assert reply.status == 200
    shown = reply.text.partition("<main")[2]
    words = re.sub(f"{ON_MACHINE}.*", "", shown)  # commands stand on a line of their own
    assert ON_MACHINE in shown or "choose a longer time" in shown
    assert "modicum import" not in words
    assert not re.search("class=.(nothing|quiet).>[^<]*modicum [a-z]+ [a-zA-Z-]", words)


@pytest.mark.parametrize("page", NAMES)
@pytest.mark.parametrize(
    "query", ["", "?where=team%3Dsearch", "?where=model%3Dnobody", "?since=2026-02-04&until=today"]
)
def test_every_page_answers_every_filter(site, page, query):
    reply = site.get(f"/{page}{query}")

    assert reply.status == 200, reply.text
    assert reply.headers["content-security-policy"] == POLICY


def test_no_page_over_a_ledger_of_ones_own_speaks_of_a_sample(site):
    assert 'class="sample"' not in site.get("/overview").text


def test_names_of_callers_are_text_and_never_markup(site):
    reply = site.get("/overview?where=team%3D%3Cscript%3Ealert(1)%3C/script%3E%22'%3D1%2B1")

    assert "<script>alert" not in reply.text
    assert "&lt;script&gt;alert(1)" in reply.text
    assert "$0.50" in reply.text


def test_control_characters_of_names_are_spelt_out():
    store = open_store(":memory:")
    odd = "a\x1b[31m\n\u202eb"
    store.append([entry("c1", owner=Owner(team=odd, user=odd), task=odd, model=odd, agent=odd), entry("c2")])
    site = Site(store)
    asked_for = f"tasks?task={quote(odd)}", f"where?where={quote('team=' + odd)}"
    for page in ("overview", "where?by=team", "tasks", "models", *asked_for):
        text = site.get(f"/{page}").text
        assert "\x1b" not in text
        assert "\u202e" not in text
        for href in re.findall(r'href="((?:where|tasks|models)[^"]*)"', text):
            assert site.get(f"/{html.unescape(href)}").status == 200, href
    store.close()


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("/overview?since=never", "is no time"),
        ("/where?by=cost", "accepted are team"),
        ("/waste?what_if=nonsense", "there is no change"),
        ("/overview?where=cost%3D1", "accepted are model"),
        ("/overview?where=team", "no condition"),
        ("/overview?timezone=Mars/Base", "no time zone"),
        (f"/overview?{'where=team%3Dx&' * 60}", "words"),
        ("/overview?since=%00%1b[31m", "is no time"),
    ],
)
def test_an_address_that_cannot_be_understood_is_said(site, address, part):
    reply = site.get(address)

    assert reply.status == 400
    assert part in reply.text
    assert "\x1b" not in reply.text


@pytest.mark.parametrize("address", ["/nothing", "/overview/nothing.csv", "/static/../app.py", "/static/x", "/a/b/c"])
def test_what_is_not_there_is_said(site, address):
    assert site.get(address).status == 404


def test_a_ledger_that_is_away_is_said_and_nothing_breaks():
    class Away:
        def ask(self, *_words, **_parameters):
            raise UserError("the ledger /x is held by process 7 <b>")

    reply = Site(Away()).get("/overview")
    assert reply.status == 503
    assert "open this page again in a minute" in reply.text
    assert "<br>For whoever runs it: the ledger /x is held by process 7 &lt;b&gt;" in reply.text


def test_a_page_that_has_not_changed_is_not_sent_again(site):
    first = site.get("/overview")
    again = site.get("/overview", if_none_match=first.headers["etag"])

    assert (again.status, again.text) == (304, "")


def test_a_table_is_a_csv_file_with_plain_figures(site):
    reply = site.get("/overview/spend-by-model.csv")
    rows = list(csv.DictReader(io.StringIO(reply.text)))

    assert reply.headers["content-type"].startswith("text/csv")
    assert {row["model"]: row["spent"] for row in rows} == {
        "mystery": "",
        "opus": "4.0000000000",
        "gpt-5": "0.5000000000",
    }


def test_ten_thousand_names_are_paged_and_found():
    store = open_store(":memory:")
    store.append([entry(f"c{n}", owner=Owner(team=f"team-{n:03}")) for n in range(120)])
    site = Site(store)

    first = site.get("/where?by=team&since=2026-01-01").text
    assert "1 to 50 of 120" in first
    assert "since=2026-01-01&amp;by=team&amp;from=50#by-team" in first
    assert "101 to 120 of 120" in site.get("/where?by=team&from=100").text
    found = site.get("/where?by=team&find=TEAM-11").text
    assert "1 to 10 of 10" in found
    assert 'value="TEAM-11"' in found
    assert len(site.get("/where/by-team.csv?by=team&find=TEAM-11").text.splitlines()) == 121
    assert "no name holds that" in site.get("/where?by=team&find=%3Cb%3E").text
    site.console.close()
    store.close()


def test_the_first_page_keeps_what_the_address_says(site):
    reply = site.get("/?since=7d")

    assert (reply.status, reply.headers["location"]) == (307, "/overview?since=7d")


def test_styles_and_scripts_come_from_here_and_are_small(site):
    page = site.get("/overview").text
    sizes = [len(site.get(f"/static/{name}").text) for name in ("console.css", "console.js", "icon.svg")]

    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "style=" not in page
    assert sum(sizes) < 30_000
