"""Pictures as SVG where the charts of a library do not fit: plain shapes and text, no script, nothing fetched."""

from collections.abc import Iterable

from modicum.reports.escaping import escape

INK, QUIET, PAPER = "#1f2933", "#52606d", "#ffffff"


def document(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    """A whole SVG file on white paper; the title is read out to those who cannot see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui, sans-serif" font-size="13" role="img">\n<title>{escape(title)}</title>\n'
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>\n' + "".join(parts) + "</svg>\n"
    )


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = 13,
    anchor: str = "start",
    bold: bool = False,
    fill: str = INK,
    halo: bool = False,
    turned: bool = False,
) -> str:
    """One line of words.

    Args:
        x: where the end that `anchor` names stands.
        y: its foot.
        words: as they are; what SVG would take for its own is escaped.
        size: in pixels.
        anchor: start, middle or end.
        bold: in heavy letters.
        fill: the colour.
        halo: with white around the letters, so that lines behind them do not make them hard to read.
        turned: from the bottom to the top.
    """
    weight = ' font-weight="600"' if bold else ""
    around = f' paint-order="stroke" stroke="{PAPER}" stroke-width="4"' if halo else ""
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{fill}"{weight}{around}{turn}>'
        f"{escape(words)}</text>\n"
    )


def line(x1: float, y1: float, x2: float, y2: float, stroke: str, *, dashed: bool = False) -> str:
    """A thin straight line."""
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}"{dashes}/>\n'


def circle(x: float, y: float, radius: float, look: str) -> str:
    """A disc. `look`: its attributes, as `fill="#fff"`."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" {look}/>\n'
