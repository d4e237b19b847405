import pytest

from console.rig import Site
from modicum.calls import UserError
from modicum.console.pages import waste
from modicum.console.view import read_view
from modicum.insights.audit import audit, audit_document
from modicum.insights.scoping.time_span import EVER, NEVER
from modicum.ledger.opening import open_store
from modicum.metering.prices import PriceBook


@pytest.fixture
def page(few_calls):
    """Reads the page until the replay is there, which has a ledger of its own: one connection is for one thread."""
    copy = open_store(":memory:")
    for batch in few_calls.entries():
        copy.append(batch)

    def replay(_scope, changes):
        found = audit(copy, PriceBook(), (EVER, NEVER), what_ifs=changes)
        return audit_document(found)

    asking = Site(few_calls, audit=replay).asking

    def read(**words):
        view = read_view(list(words.items()), "UTC")
        content = waste.read(asking, view)
        while content.parts["job"].is_running:
            content = waste.read(asking, view)
        return content

    yield read
    copy.close()


def test_the_first_visit_does_not_wait_and_figures_are_those_of_the_audit(page, few_calls):
    content = page()
    document = audit_document(audit(few_calls, PriceBook(), (EVER, NEVER)))

    assert content.tiles[0].value == f"${document['cost_usd']:,.2f}"
    assert {row[0].value: row[2].value for row in content.table("findings").rows} == {
        row["name"]: row["gross_usd"]
        for row in document["findings"]
        if not row["lacks"] and (row["calls"] or row["saving_usd"])
    }


def test_changes_are_replayed_together(page):
    content = page(what_if="model:opus=claude-haiku-4-5  cap_output=9 cap_output=9")
    assert content.parts["job"].error == ""
    table = content.table("what-if")

    assert [row[0].text for row in table.rows] == ["model:opus=claude-haiku-4-5", "cap_output=9"]
    assert table.total[0].text == "together"
    assert "--what-if cap_output=9" in table.verb
    assert [change for change, _, _ in content.parts["chosen"]] == ["model:opus=claude-haiku-4-5", "cap_output=9"]


@pytest.mark.parametrize("change", ["nonsense", "rules=nothing", "a=1 b=2 c=3 d=4 e=5 f=6 g=7"])
def test_what_cannot_be_replayed_is_said_at_once(page, change):
    with pytest.raises(UserError):
        page(what_if=change)


def test_a_replay_that_fails_is_said(few_calls):
    def fail(_scope, _changes):
        raise UserError("the ledger <b> is empty")

    site = Site(few_calls, audit=fail)
    while "so far" in (text := site.get("/waste").text):
        pass
    assert "the ledger &lt;b&gt; is empty" in text


def test_what_to_do_first_is_what_the_audit_lists_first():
    finding = {"name": "long", "title": "Long results", "remedy": "cut", "finding_class": "headroom"}
    finding |= {"saving_usd": 9.0, "saving_share": 0.2}
    step = {
        "finding": "long",
        "title": "Compact",
        "client": "claude-code",
        "how": "Sum up.",
        "finding_class": "headroom",
    }
    step |= {"saving_usd": 4.0, "saving_share": 0.1, "who": "you", "place": "~/x.json", "paste": '"a": 1'}
    document = {"findings": [finding], "first_steps": ["long"], "steps": [step | {"who": "vendor"}, *[step] * 4]}

    shown = waste._steps(document)

    assert len(shown) == 3
    assert shown[0] == {
        "finding": "long",
        "title": "Compact",
        "saving": "at most $4.00, 10.0 %",
        "how": "claude-code: Sum up.",
        "paste": '"a": 1',
        "into": "into ~/x.json",
    }
    (fallback,) = waste._steps(document | {"steps": []})
    assert (fallback["title"], fallback["saving"], fallback["how"]) == ("Long results", "at most $9.00, 20.0 %", "cut")
