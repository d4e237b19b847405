"""Charts as SVG, to stand inside a page: no script, nothing fetched, colours from the page so that dark follows light.

Drawn by pygal, as pure SVG: it survives mail programs, printers and pages that forbid scripts. What a chart shows
stands in a table beside it, or can be read off as a label.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

WIDTH, HEIGHT = 960, 380
ROW_HEIGHT = 38
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
    import pygal

    chart = pygal.HorizontalBar(
        **_look(height=90 + ROW_HEIGHT * len(rows)),
        show_legend=False,
        print_values=True,
        print_values_position="top",
        value_formatter=write,
        show_x_guides=True,
        spacing=12,
    )
    chart.x_labels = [name for name, _ in reversed(rows)]
    chart.add("", [value for _, value in reversed(rows)])
    return _drawn(chart)


def curve(points: Sequence[tuple[str, float]], write: Callable[[float], str], title: str) -> str:
    """One line over named places."""
    import pygal

    chart = pygal.Line(
        **_look(), show_legend=False, value_formatter=write, print_values=True, x_title=title, range=(0, _top(points))
    )
    chart.x_labels = [name for name, _ in points]
    chart.add("", [value for _, value in points], dots_size=5)
    return _drawn(chart)


def stacked(labels: Sequence[str], series: Mapping[str, Sequence[float]], write: Callable[[float], str]) -> str:
    """Stacked bars over time, one colour a series."""
    import pygal

    chart = pygal.StackedBar(
        **_look(),
        value_formatter=write,
        legend_at_bottom=True,
        legend_at_bottom_columns=len(series),
        x_labels_major_count=12,
        show_minor_x_labels=False,
    )
    chart.x_labels = list(labels)
    for name, values in series.items():
        chart.add(name, list(values))
    return _drawn(chart)


def timeline(series: Mapping[str, Sequence[tuple[float, float]]], marks: Sequence[tuple[float, float, str]]) -> str:
    """Lines over minutes, and marks on them with a label each."""
    import pygal

    chart = pygal.XY(
        **_look(),
        value_formatter=tokens,
        x_value_formatter=lambda minutes: f"{minutes:,.0f}",
        legend_at_bottom=True,
        legend_at_bottom_columns=len(series) + 1,
        x_title="minutes since the first call",
        range=(0, None),
        include_x_axis=True,
    )
    for name, points in series.items():
        chart.add(name, list(points), dots_size=1.5)
    chart.add(
        "cache lost",
        [{"value": (minute, count), "label": label} for minute, count, label in marks],
        stroke=False,
        dots_size=6,
    )
    return _drawn(chart)


def _top(points: Sequence[tuple[str, float]]) -> float:
    return max((value for _, value in points), default=0) * 1.15 or 1


def _look(height: int = HEIGHT) -> dict[str, Any]:
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
        colors=COLOURS,
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
        "truncate_label": -1,
        "truncate_legend": -1,
        "no_data_text": "nothing to draw",
    }


def _drawn(chart: Any) -> str:
    svg: str = chart.render(is_unicode=True)
    return svg.replace("<svg ", '<svg role="img" ', 1)
