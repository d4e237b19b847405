"""The statement of a month as one self-contained page that prints: what each owes, and by which rules."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from modicum.insights.dimensions import shown_name
from modicum.ledger.asking.several_dimensions import BETWEEN
from modicum.reports import charts
from modicum.reports.escaping import escape
from modicum.reports.figures import count, dollars, format_tokens, unpriced_note
from modicum.reports.plain_page import render_plain_page, render_table, render_tiles
from modicum.reports.showback.rules import UNTAGGED

MOST_BARS = 20
SIGNS = {"lower_bound": "\u2265 ", "estimated": "\u2248 "}
"""Before a cost: at least, about."""
Document = Mapping[str, Any]


def render_statement_page(document: Document) -> str:
    """The whole page as HTML, from the one JSON object of `modicum statement`."""
    title = f"Statement of {document['month']} by {document['by']}"
    return render_plain_page(
        title, (_head(title, document), _chart(document), _rows(document), _fees(document), _notes(document))
    )


def shown_payer(name: str) -> str:
    """A name as a statement shows it."""
    return " / ".join(shown_name(part) if part else UNTAGGED for part in name.split(BETWEEN))


def _head(title: str, document: Document) -> str:
    total = document["total"]
    tiles = [
        (SIGNS.get(str(total["basis"]), "") + dollars(total["total_usd"]), "in all"),
        (dollars(total["metered_usd"]), "invoiced by use"),
        (dollars(total["subscription_usd"]), "subscriptions"),
        (dollars(total["shared_usd"]), "shared costs"),
        (count(total["calls"]), "calls"),
    ]
    return (
        f'<h1>{escape(title)}</h1>\n<p class="quiet">days in {escape(document["timezone"])}</p>\n{render_tiles(tiles)}'
    )


def _chart(document: Document) -> str:
    bars = [(shown_payer(row["name"]), float(row["total_usd"])) for row in document["rows"] if row["total_usd"] > 0]
    if not bars:
        return ""
    left_out = f", {len(bars) - MOST_BARS:,} smaller ones are in the table alone" if len(bars) > MOST_BARS else ""
    caption = escape(f"Total by {document['by']}{left_out}")
    return f"<figure>{charts.draw_bars(bars[:MOST_BARS])}<figcaption>{caption}</figcaption></figure>"


def _rows(document: Document) -> str:
    has_codes = any(row["code"] for row in document["rows"])
    currency = document.get("currency")
    head = [document["by"], *(["code"] if has_codes else []), "calls", "tokens", "at list", "by use", "subscriptions"]
    head += ["shared", "total", *([currency["name"]] if currency else [])]
    rows = [_cells(row, has_codes, currency) for row in document["rows"]]
    total = _cells(document["total"], has_codes, currency)
    return render_table("Who owes what", "Rows of the statement", [head, *rows], left=1 + has_codes, total=total)


def _cells(row: Document, has_codes: bool, currency: Document | None) -> list[str]:
    name = row["name"] if row["name"] == "total" else shown_payer(row["name"])
    amounts = [row[f"{one}_usd"] for one in ("list", "metered", "subscription", "shared")]
    return [
        name,
        *([row["code"]] if has_codes else []),
        count(row["calls"]),
        format_tokens(row["tokens"]),
        *map(dollars, amounts),
        SIGNS.get(str(row["basis"]), "") + dollars(row["total_usd"]),
        *([_amount(row["amount"])] if currency else []),
    ]


def _amount(amount: Decimal | None) -> str:
    return "no rate" if amount is None else f"{amount:,.2f}"


def _fees(document: Document) -> str:
    parts = []
    if fees := document["subscriptions"]:
        rows: list[Sequence[str]] = [["subscription", "covers", "paid", "calls", "their list price"]]
        rows += [[fee.name, fee.source, dollars(fee.paid_usd), count(fee.calls), dollars(fee.list_usd)] for fee in fees]
        parts.append(render_table("Subscriptions", "Subscriptions of the month", rows, left=2))
    if shared := document["shared"]:
        rows = [
            ["shared cost", "rule", "divided"],
            *([one.name, one.rule.removeprefix(f"{one.name}: "), dollars(one.usd)] for one in shared),
        ]
        parts.append(render_table("Shared costs", "Shared costs of the month", rows, left=2))
    return "".join(parts)


def _notes(document: Document) -> str:
    lines = [*document["rules"]]
    if document["total"]["calls_unpriced"]:
        lines.append(unpriced_note(document["total"]["calls_unpriced"]))
    if currency := document.get("currency"):
        lines.append(currency["rule"])
    inner = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<h2>Rules</h2>\n<ul class="quiet">{inner}</ul>'
