"""Charts as SVG, to stand inside a page: no script, nothing fetched, colours from the page so that dark follows light.

Drawn by pygal, as pure SVG: it survives mail programs, printers and pages that forbid scripts. What a chart shows
stands in a table beside it, or can be read off as a label.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

WIDTH, HEIGHT = 960, 380
ROW_HEIGHT = 34
MOST_LABELS = 10
COLOURS = tuple(f"var(--chart-{number})" for number in range(1, 7))


def money(usd: float) -> str:
    """`$1,234`, or with cents below 100."""
    return f"${usd:,.0f}" if abs(usd) >= 100 else f"${usd:,.2f}"


def tokens(count: float) -> str:
    """`1.2 M`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(count) >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.3g}"


def bars(rows: Sequence[tuple[str, float]], write: Callable[[float], str] = money) -> str:
    """Horizontal bars, the first row on top."""
    chart = _pygal().HorizontalBar(
        **_look(height=90 + ROW_HEIGHT * len(rows)), show_legend=False, value_formatter=write, show_x_guides=True
    )
    chart.x_labels = [f"{name}  {write(value)}" for name, value in reversed(rows)]
    chart.add("", [value for _, value in reversed(rows)])
    return _drawn(chart)


def curve(points: Sequence[tuple[str, float]], write: Callable[[float], str], title: str) -> str:
    """One line over named places."""
    chart = _pygal().Line(
        **_look(), show_legend=False, value_formatter=write, print_values=True, x_title=title, range=(0, _top(points))
    )
    chart.x_labels = [name for name, _ in points]
    chart.add("", [value for _, value in points], dots_size=5)
    return _drawn(chart)


def stacked(labels: Sequence[str], series: Mapping[str, Sequence[float]], write: Callable[[float], str]) -> str:
    """Stacked bars over time, one colour a series."""
    chart = _pygal().StackedBar(
        **_look(),
        value_formatter=write,
        legend_at_bottom=True,
        legend_at_bottom_columns=len(series),
    )
    apart = -(-len(labels) // MOST_LABELS)
    chart.x_labels = [label if not place % apart else "" for place, label in enumerate(labels)]
    for name, values in series.items():
        chart.add(name, list(values))
    return _drawn(chart)


def timeline(
    series: Mapping[str, Sequence[tuple[float, float]]], marks: Sequence[tuple[float, float, str]], title: str
) -> str:
    """Lines over whole numbers, and marks on them with a label each, in the colour of warnings."""
    chart = _pygal().XY(
        **_look(colours=(*COLOURS[: len(series)], COLOURS[-1])),
        value_formatter=tokens,
        x_value_formatter=lambda number: f"{number:,.0f}",
        legend_at_bottom=True,
        legend_at_bottom_columns=len(series) + 1,
        x_title=title,
        range=(0, None),
        include_x_axis=True,
    )
    for name, points in series.items():
        chart.add(name, list(points), dots_size=1.5)
    chart.add(
        "cache lost",
        [{"value": (number, count), "label": label} for number, count, label in marks],
        stroke=False,
        dots_size=6,
    )
    return _drawn(chart)


def _pygal() -> Any:
    """The library, without the import hook that it leaves behind: an old one for its map plugins, at which Python warns
    with every later import.
    """
    import pygal

    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]
    return pygal


def _top(points: Sequence[tuple[str, float]]) -> float:
    return max((value for _, value in points), default=0) * 1.15 or 1


def _look(height: int = HEIGHT, colours: tuple[str, ...] = COLOURS) -> dict[str, Any]:
    from pygal.style import Style

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
        "width": WIDTH,
        "height": height,
        "margin": 8,
        "margin_right": 48,
        "margin_bottom": 28,
        "truncate_label": -1,
        "truncate_legend": -1,
        "no_data_text": "nothing to draw",
    }


def _drawn(chart: Any) -> str:
    """The chart, without the settings that the library writes for a script of its own and without its comments."""
    svg = re.sub(r"<script.*?</script>|<!--.*?-->", "", chart.render(is_unicode=True), flags=re.DOTALL)
    return svg.replace("<svg ", '<svg role="img" ', 1)
