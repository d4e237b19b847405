from decimal import Decimal

import msgspec

from modicum.console.api.documents import key_document, page_document
from modicum.console.page import Cell, Content, Table, Tile
from modicum.console.pages import PAGES
from modicum.governance.keys import Keys, issue


def test_a_page_keeps_plain_values_beside_what_is_shown():
    table = Table(name="t", columns=["a", "b"], rows=[[Cell("$1.00", Decimal("1.0"), basis="exact"), Cell("x")]])
    content = Content(tiles=[Tile(label="spent", value="$1.00")], tables=[table], notes=["n"])
    document = page_document(PAGES[0], content)
    one, other = document.tables[0].rows[0]

    assert (one.value, one.basis, other.value) == (Decimal("1.0"), "exact", "x")
    assert (document.notes, document.tiles[0].label, document.is_replaying) == (["n"], "spent", False)


def test_a_key_holds_nothing_that_opens():
    from datetime import UTC, datetime

    from modicum.calls import Owner

    key, event = issue(Owner(key="ci"), (), datetime(2026, 1, 1, tzinfo=UTC), "ann", b"k" * 32)
    text = msgspec.json.encode(key_document(Keys([event]).all()[0])).decode()

    assert key not in text
    assert key.rpartition("_")[2] not in text
    assert "digest" not in text
