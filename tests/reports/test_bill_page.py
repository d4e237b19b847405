from zoneinfo import ZoneInfo

from ledger.samples import entry
from modicum.insights.bill import bill_document, build, make_cells
from modicum.reports.bill_page import render_bill_page


def document(*entries, by=("model",), **fields):
    bill = build(make_cells(entries, by, [""] * len(by), ZoneInfo("UTC")), by)
    return bill_document(bill, ",".join(by), "UTC", None, None, []) | fields


def test_the_page_has_the_figures_and_no_script():
    page = render_bill_page(document(entry("c1", "2", model="big"), entry("c2", None, model="<b>odd</b>")))

    assert "$2.00" in page
    assert "&lt;b&gt;odd&lt;/b&gt;" in page
    assert "<script" not in page
    assert "1 call has no known price" in page
    assert page.count("<main>") == page.count("<h1>") == 1


def test_several_dimensions_and_a_currency_are_columns():
    currency = {"name": "EUR", "rates": [], "rows": [None], "total": None}
    page = render_bill_page(document(entry("c1", "2"), by=("model", "team"), currency=currency))

    assert '<th class="text">team</th>' in page
    assert "no rate" in page


def test_a_bill_of_nothing_is_a_page():
    assert "<figure>" not in render_bill_page(document())


def test_no_name_steers_the_page():
    page = render_bill_page(document(entry("c1", "2", model="a\x1b[31m\u202eb")))

    assert "\x1b" not in page
    assert "\u202e" not in page
