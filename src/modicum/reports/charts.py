"""Charts as SVG, to stand inside a page: no script, nothing fetched, colours from the page so that dark follows light.

Lines and stacks are drawn by pygal, as pure SVG: it survives mail programs, printers and pages that forbid scripts. An
SVG shrinks with its letters, so each is drawn twice, for a desk and for a telephone, and the page shows the one that
fits. Plain bars are text with a coloured stretch, which fits everywhere.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pygal
from pygal.style import Style

from modicum.calls.words.percentages import percent
from modicum.reports.escaping import escape
from modicum.reports.figures import format_tokens

# pygal leaves an import hook behind for its map plugins: an old one, at which Python warns with every later import.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]

COLOURS = tuple(f"var(--chart-{number})" for number in range(1, 7))


@dataclass(frozen=True)
class Size:
    name: str
    """Class of the page's style sheet."""
    width: int
    height: int
    most_labels: int
    columns: int
    """Of the legend."""


SIZES = (Size("wide", 960, 380, 10, 6), Size("narrow", 380, 310, 4, 2))


def format_usd(usd: float) -> str:
    """`$1,234`, with cents below 100, and with two figures that say something below a cent."""
    if usd < 0:
        return f"-{format_usd(-usd)}"
    if usd >= 100:
        return f"${usd:,.0f}"
    return f"${usd:,.2f}" if usd >= 0.01 or not usd else f"${float(f'{usd:.1e}'):.6f}".rstrip("0")


def draw_bars(rows: Sequence[tuple[str, float]], write: Callable[[float], str] = format_usd) -> str:
    """Horizontal bars, the first row on top, each with its name, its value, and its share of all."""
    whole = sum(value for _, value in rows) or 1
    most = max((value for _, value in rows), default=0) or 1
    lines = (
        f'<div class="name">{escape(name)}</div><div class="bar"><i style="width:{100 * value / most:.1f}%"></i></div>'
        f'<div class="value">{write(value)} <small>{_share(value / whole)}</small></div>'
        for name, value in rows
    )
    return f'<div class="bars">{"".join(lines)}</div>'


def _share(part: float) -> str:
    return percent(part, 0) if part >= 0.01 else "&lt;1 %"


def draw_curve(points: Sequence[tuple[str, float]], write: Callable[[float], str], title: str) -> str:
    """One line over named places."""

    def drawn(size: Size) -> Any:
        top = max((value for _, value in points), default=0) * 1.1 or 1
        chart = pygal.Line(
            **_style(size), show_legend=False, value_formatter=write, x_title=title, range=(0, top), max_scale=8
        )
        chart.x_labels = _thin_labels([name for name, _ in points], size)
        chart.add("", [value for _, value in points], dots_size=5)
        return chart

    return _in_sizes(drawn)


def draw_stacked(labels: Sequence[str], series: Mapping[str, Sequence[float]], write: Callable[[float], str]) -> str:
    """Stacked bars over time, one colour a series."""

    def drawn(size: Size) -> Any:
        chart = pygal.StackedBar(
            **_style(size),
            value_formatter=write,
            legend_at_bottom=True,
            legend_at_bottom_columns=min(len(series), size.columns),
            max_scale=8,
        )
        chart.x_labels = _thin_labels(labels, size)
        for name, values in series.items():
            chart.add(name, list(values))
        return chart

    return _in_sizes(drawn)


def draw_timeline(
    series: Mapping[str, Sequence[tuple[float, float]]], marks: Sequence[tuple[float, float, str]], title: str
) -> str:
    """Lines over whole numbers, and marks on them with a label each, in the colour of warnings."""

    def drawn(size: Size) -> Any:
        chart = pygal.XY(
            **_style(size, colours=(*COLOURS[: len(series)], COLOURS[-1])),
            value_formatter=format_tokens,
            x_value_formatter=lambda number: f"{number:,.0f}",
            legend_at_bottom=True,
            legend_at_bottom_columns=min(len(series) + 1, size.columns),
            x_title=title,
            range=(0, None),
            include_x_axis=True,
            max_scale=8,
            xrange=(0, max((place for points in series.values() for place, _ in points), default=1)),
        )
        for name, points in series.items():
            chart.add(name, list(points), dots_size=1.5)
        marked = [{"value": (number, count), "label": label} for number, count, label in marks]
        chart.add("cache lost", marked, stroke=False, dots_size=6)
        return chart

    return _in_sizes(drawn)


def _in_sizes(drawn: Callable[[Size], Any]) -> str:
    return "".join(f'<div class="{size.name}">{_render(drawn(size))}</div>' for size in SIZES)


def _thin_labels(labels: Sequence[str], size: Size) -> list[str]:
    """As many labels as have room, the others empty."""
    apart = -(-len(labels) // size.most_labels)
    return [label if not place % apart else "" for place, label in enumerate(labels)]


def _style(size: Size, colours: tuple[str, ...] = COLOURS) -> dict[str, Any]:
    style = Style(
        background="transparent",
        plot_background="transparent",
        foreground="var(--ink)",
        foreground_strong="var(--ink)",
        foreground_subtle="var(--line)",
        guide_stroke_color="var(--line)",
        major_guide_stroke_color="var(--line)",
        guide_stroke_dasharray="1,0",
        major_guide_stroke_dasharray="1,0",
        value_colors=("var(--ink)",) * len(COLOURS),
        colors=colours,
        font_family="inherit",
        label_font_size=13,
        major_label_font_size=13,
        legend_font_size=13,
        value_font_size=13,
        title_font_size=13,
        opacity="1",
        opacity_hover=".8",
        stroke_width=2,
    )
    return {
        "style": style,
        "js": [],
        "disable_xml_declaration": True,
        "no_prefix": False,
        "width": size.width,
        "height": size.height,
        "margin": 8,
        "margin_right": 24,
        "margin_bottom": 28,
        "truncate_label": -1,
        "truncate_legend": -1,
        "no_data_text": "nothing to draw",
    }


def _render(chart: Any) -> str:
    """The chart, without the settings that the library writes for a script of its own and without its comments."""
    svg = re.sub(r"<script.*?</script>|<!--.*?-->", "", chart.render(is_unicode=True), flags=re.DOTALL)
    return svg.replace("<svg ", '<svg role="img" ', 1)
