from datetime import date
from decimal import Decimal

from modicum.calls import Basis
from modicum.metering.price_file import Subscription
from modicum.reports.showback.rules import SharedCost, ShowbackRules
from modicum.reports.showback.statement import UsageLine, build_statement, statement_document
from modicum.reports.showback.statement_page import render_statement_page, shown_payer

MONTH = date(2026, 11, 1)


def document(count=3, **rules):
    lines = [UsageLine("gateway", f"<b>{n}", 1, 5, Decimal(n + 1), Basis.ESTIMATED, 0) for n in range(count)]
    lines += [UsageLine("codex", "", 1, 5, None, Basis.UNKNOWN, 1)]
    chosen = ShowbackRules(shared=(SharedCost("Hosts", Decimal(9)),), **rules)
    fees = [Subscription("Plus", "codex", Decimal(20))]
    return statement_document(build_statement(lines, MONTH, chosen, fees), MONTH, "team", "UTC", chosen)


def test_the_page_says_who_owes_what_and_by_which_rules():
    page = render_statement_page(document(codes={"<b>1": "CC-1"}))

    wanted = ("<h1>Statement of 2026-11 by team</h1>", '<td class="text">(untagged)</td>', ">CC-1</td>", "&lt;b&gt;2")
    assert not [one for one in (*wanted, "Hosts: $9 a month", "Plus", "\u2248 $35.00") if one not in page]
    assert "1 call has no known price and is in no sum" in page
    assert page.count("Hosts: ") == 1, "in the table the name has a column of its own"
    assert "<b>2" not in page
    assert "<script" not in page


def test_amounts_in_another_currency_are_a_column_and_a_missing_rate_is_said():
    found = document()
    for row in found["rows"]:
        row["amount"] = None
    found["total"]["amount"] = Decimal("12.5")
    found["currency"] = {"name": "EUR", "rule": "at the rate of its day"}

    page = render_statement_page(found)

    assert not [one for one in (">EUR</th>", "no rate", "12.50", "at the rate of its day") if one not in page]


def test_ten_thousand_names_are_one_page():
    page = render_statement_page(document(10_000))

    assert page.count("<tr>") > 10_000
    assert "9,981 smaller ones are in the table alone" in page


def test_no_name_is_shown_as_such():
    assert (shown_payer(""), shown_payer("a"), shown_payer("a\x1f")) == ("(untagged)", "a", "a / (untagged)")
