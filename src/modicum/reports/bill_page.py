"""The bill as one self-contained page: what was spent, on what, with a chart. No script, nothing fetched."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from modicum.calls.outside.one_line import one_line
from modicum.calls.words.counted_nouns import noun_for, number_of
from modicum.insights.dimensions import shown_name
from modicum.reports import charts
from modicum.reports.escaping import escape
from modicum.reports.figures import count, dollars, format_tokens, share, unpriced_note
from modicum.reports.plain_page import render_plain_page, render_table, render_tiles

MOST_BARS = 20
TIMES = frozenset({"day", "week", "month"})
SIGNS = {"lower_bound": "\u2265 ", "estimated": "\u2248 "}
"""Before a cost: at least, about."""
Document = Mapping[str, Any]


def render_bill_page(document: Document) -> str:
    """The whole page as HTML, from the one JSON object of `modicum bill`."""
    parts = (_head(document), _chart(document), _rows(document), _notes(document))
    return render_plain_page(f"Bill by {document['by']}", parts)


def _cost(line: Document) -> str:
    return SIGNS.get(str(line["basis"]), "") + dollars(line["cost_usd"])


def _head(document: Document) -> str:
    span = " to ".join(f"{document[end]:%Y-%m-%d}" if document[end] else "" for end in ("since", "until")).strip()
    span = f"{escape(span)}, " if span != "to" else ""
    tiles = [
        (_cost(document), "spent"),
        (count(document["calls"]), "calls"),
        (format_tokens(document["prompt_tokens"]), "prompt tokens"),
        (format_tokens(document["completion_tokens"]), "completion tokens"),
    ]
    currency = document.get("currency")
    if currency and currency["total"] is not None:
        tiles.insert(1, (f"{currency['total']:,.2f} {currency['name']}", "at the rates that you gave"))
    return (
        f'<h1>Bill by {escape(document["by"])}</h1>\n<p class="quiet">{span}days in {escape(document["timezone"])}; '
        "list prices of the day of each call</p>\n" + render_tiles(tiles)
    )


def _chart(document: Document) -> str:
    rows = [(shown_name(one_line(row["name"])), float(row["cost_usd"])) for row in document["rows"] if row["cost_usd"]]
    if not rows:
        return ""
    shown = rows[-MOST_BARS:] if document["by"] in TIMES else rows[:MOST_BARS]
    left_out = f", {len(rows) - len(shown)} smaller rows are in the table alone" if len(rows) > len(shown) else ""
    caption = escape(f"Cost by {document['by']}{left_out}")
    return f"<figure>{charts.draw_bars(shown)}<figcaption>{caption}</figcaption></figure>"


def _rows(document: Document) -> str:
    names = str(document["by"]).split(",")
    currency = document.get("currency")
    head = [
        *names,
        "calls",
        "prompt",
        "cached",
        "completion",
        "cost",
        "share",
        *([currency["name"]] if currency else []),
    ]
    amounts = currency["rows"] if currency else [None] * len(document["rows"])
    rows = [
        [*_names_of(row), *_figures(row, document), *([_amount(amount)] if currency else [])]
        for row, amount in zip(document["rows"], amounts, strict=True)
    ]
    total = ["total", *[""] * (len(names) - 1), *_figures(document, document)]
    total += [_amount(currency["total"])] if currency else []
    return render_table("Rows", "Rows of the bill", [head, *rows], left=len(names), total=total)


def _names_of(row: Document) -> list[str]:
    named = row.get("names")
    return [shown_name(name) for name in (named.values() if named else (row["name"],))]


def _figures(line: Document, document: Document) -> list[str]:
    return [
        count(line["calls"]),
        count(line["prompt_tokens"]),
        share(line["usage"]["cache_read"], line["prompt_tokens"]),
        count(line["completion_tokens"]),
        _cost(line),
        share(line["cost_usd"], document["cost_usd"] or 0),
    ]


def _amount(amount: Decimal | None) -> str:
    return "no rate" if amount is None else f"{amount:,.2f}"


def _notes(document: Document) -> str:
    lines = []
    if document["calls_unpriced"]:
        lines.append(f"{unpriced_note(document['calls_unpriced'])}.")
    if document["calls_without_usage"]:
        lines.append(
            f"{number_of(document['calls_without_usage'], 'call')} came without a count of tokens and "
            f"{noun_for(document['calls_without_usage'], 'is', 'are')} in no sum."
        )
    if str(document["basis"]) == "lower_bound":
        lines.append("Completion tokens were logged before they were final, so costs are at least what is shown.")
    if document["problems"]:
        lines.append(
            f"{number_of(len(document['problems']), 'problem')} in the logs: what could not be read is in no sum."
        )
    return "".join(f'<p class="quiet">{escape(line)}</p>' for line in lines)
