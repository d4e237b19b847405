"""A self-contained page of text and tables: its frame, its tiles, its tables. No script, nothing fetched; it prints."""

from collections.abc import Sequence
from importlib.resources import files

from modicum.calls.outside.one_line import one_line
from modicum.reports.escaping import escape


def render_plain_page(title: str, parts: Sequence[str]) -> str:
    """The whole page as HTML.

    Args:
        title: as the browser shows it.
        parts: HTML, in order; empty ones are left out.
    """
    style = (files("modicum.reports") / "page.css").read_text(encoding="utf-8")
    body = "\n".join(filter(None, parts))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        f"{body}\n</main>\n</body>\n</html>\n"
    )


def render_tiles(tiles: Sequence[tuple[str, str]]) -> str:
    """Figures side by side, each with its label."""
    inner = "".join(f'<div class="tile"><b>{escape(value)}</b>{escape(label)}</div>' for value, label in tiles)
    return f'<div class="tiles">{inner}</div>'


def render_table(
    title: str, label: str, rows: Sequence[Sequence[str]], *, left: int = 1, total: Sequence[str] = ()
) -> str:
    """A table under a heading.

    Args:
        title: the heading.
        label: what it is, for those who do not see it.
        rows: the names of the columns, and then the rows.
        left: how many of the first columns are text.
        total: a last row that sums up.
    """
    body = "".join(_row(row, "td", left) for row in rows[1:])
    foot = f"<tfoot>{_row(total, 'td', left)}</tfoot>" if total else ""
    return (
        f'<h2>{escape(title)}</h2>\n<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">'
        f"<table><thead>{_row(rows[0], 'th', left)}</thead><tbody>{body}</tbody>{foot}</table></div>"
    )


def _row(cells: Sequence[str], tag: str, left: int) -> str:
    sides = [' class="text"' if place < left else "" for place in range(len(cells))]
    inner = "".join(f"<{tag}{side}>{escape(one_line(cell))}</{tag}>" for cell, side in zip(cells, sides, strict=True))
    return f"<tr>{inner}</tr>"
