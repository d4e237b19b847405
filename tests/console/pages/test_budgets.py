from datetime import UTC, datetime

from console.rig import Site
from ledger.samples import entry
from modicum.calls import Owner
from modicum.console.pages.budgets import read
from modicum.console.view import read_view
from modicum.governance.keys import Keys, issue, revoke
from modicum.ledger.events import EventFile
from modicum.ledger.opening import open_store
from modicum.settings import Settings
from modicum.settings.governance.budgets import BudgetSettings

NOW = datetime.now(UTC)


def test_limits_with_the_day_they_are_reached_and_keys(tmp_path):
    store = open_store(":memory:")
    store.append([entry("c", "9", source="gateway", started=NOW, owner=Owner(team="search"))])
    events = EventFile(tmp_path / "events.sqlite")
    _, first = issue(Owner(team="search", key="ci"), ("gpt-*",), NOW, "ada", b"k" * 32)
    _, second = issue(Owner(key="old"), (), NOW, "ada", b"k" * 32)
    for event in (first, second, revoke(Keys([first, second]), "old", NOW, "bob")):
        events.append("key", event)
    events.close()
    settings = Settings(timezone="UTC", budget=(BudgetSettings(name="all", per="ever", limit_usd=10.0),))
    site = Site(store, settings=settings, state=tmp_path)
    content = read(site.asking, read_view([], "UTC"))
    (budget,) = content.table("budgets").rows
    keys = {row[0].text: row for row in content.table("keys").rows}

    assert (budget[0].text, budget[4].text, budget[6].text) == ("all", "$9.00", "$1.00")
    assert budget[7].text.startswith("20")
    assert content.tiles[0].note == "1 with less than 20 % left"
    assert (keys["ci"][5].text, keys["ci"][8].text, keys["old"][8].text != "") == ("gpt-*", "", True)
    assert content.tiles[2].value == "1"
    assert site.get("/budgets").status == 200
    store.close()
