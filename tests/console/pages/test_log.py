from datetime import timedelta

from console.rig import Site
from ledger.samples import START
from modicum.calls import AuditEvent, Owner
from modicum.console.pages.log import read
from modicum.console.view import read_view
from modicum.ledger.opening import open_store
from modicum.ledger.records import AUDIT_EVENTS


def test_decisions_newest_first_by_kind_and_as_text():
    store = open_store(":memory:")
    store.append_records(
        AUDIT_EVENTS,
        [
            AuditEvent(
                event_id=f"{number}",
                at=START + timedelta(hours=number),
                by="<b>ada</b>",
                kind=kind,
                what="issued",
                subject=f"s{number}",
                owner=Owner(team="t", key="k"),
                details={"models": "gpt-*", "why": ""},
            )
            for number, kind in enumerate(("key", "policy", "key"))
        ],
    )
    site = Site(store)
    content = read(site.asking, read_view([("kind", "key")], "UTC"))

    assert [row[2].value for row in content.tables[0].rows] == ["s2", "s0"]
    assert content.tables[0].rows[0][5].text == "models: gpt-*"
    assert [name for name, _, _ in content.parts["outcomes"]] == ["all", "key", "policy"]
    assert "&lt;b&gt;ada" in site.get("/log").text
    store.close()
