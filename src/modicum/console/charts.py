"""Charts as small SVG: columns by day and lines. They are drawn with attributes only, so that a strict
Content-Security-Policy lets them be; colours come from the style sheet. (The audit's page draws with pygal, whose
charts have ten times the size and bring styles of their own.)
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from modicum.calls.outside.one_line import one_line
from modicum.insights.dimensions import shown_name

MOST_COLUMNS = 92
GRID_LINES = 4
COLOURS = 6


class ChartSize(NamedTuple):
    """An SVG shrinks with its letters, so each chart is drawn twice, for a desk and for a telephone."""

    name: str
    width: int
    height: int
    labels: int


class Mark(NamedTuple):
    """A point that stands out on a chart of lines."""

    at: int
    """Place of its label."""
    value: float
    text: str


SIZES = (ChartSize("wide", 720, 200, 7), ChartSize("narrow", 340, 190, 3))
LEFT, RIGHT, TOP, BOTTOM = 62, 8, 10, 22


class Series(NamedTuple):
    name: str
    values: Sequence[float]
    """One for each label, none below 0."""


def draw_columns(labels: Sequence[str], series: Sequence[Series], write: Callable[[float], str], title: str) -> Markup:
    """Stacked columns, a colour for each series. Where there are too many labels to draw, neighbours are summed.

    Args:
        labels: what stands below a column; as many as each series has values.
        series: the lowest first.
        write: how values are written.
        title: what is read out to those who cannot see it.
    """
    together = max(1, math.ceil(len(labels) / MOST_COLUMNS))
    starts = range(0, len(labels), together)
    names = [
        labels[at] if together == 1 else f"{labels[at]} to {labels[min(at + together, len(labels)) - 1]}"
        for at in starts
    ]
    summed = [Series(one.name, [sum(one.values[at : at + together]) for at in starts]) for one in series]
    drawn = "".join(_columns(size, names, [labels[at] for at in starts], summed, write, title) for size in SIZES)
    return Markup(f'<div class="chart">{drawn}{_legend(series)}</div>')  # noqa: S704 - every name in it was escaped


def draw_lines(
    labels: Sequence[str],
    series: Sequence[Series],
    write: Callable[[float], str],
    title: str,
    marks: Sequence[Mark] = (),
) -> Markup:
    """A line for each series over equally distant labels, and points that stand out."""
    drawn = "".join(_lines(size, labels, series, write, title, marks) for size in SIZES)
    return Markup(f'<div class="chart">{drawn}{_legend(series)}</div>')  # noqa: S704 - every name in it was escaped


def nice_top(most: float) -> float:
    """The end of an axis: the next number that a person would choose."""
    if most <= 0 or not math.isfinite(most):
        return 1.0
    unit = 10.0 ** math.floor(math.log10(most))
    return next((step * unit for step in (1, 2, 2.5, 5, 10) if step * unit >= most * 0.9999), 10 * unit)


def _columns(
    size: ChartSize,
    names: Sequence[str],
    labels: Sequence[str],
    series: Sequence[Series],
    write: Callable[[float], str],
    title: str,
) -> str:
    sums = [sum(one.values[at] for one in series) for at in range(len(labels))]
    top = nice_top(max(sums, default=0))
    height, step = size.height - TOP - BOTTOM, (size.width - LEFT - RIGHT) / max(1, len(labels))
    paths, below = [], [0.0] * len(labels)
    for number, one in enumerate(series):
        moves = []
        for at, value in enumerate(one.values):
            if value <= 0:
                continue
            y = TOP + height * (1 - (below[at] + value) / top)
            moves.append(
                f"M{LEFT + at * step + step * 0.1:.1f} {y:.1f}h{step * 0.8:.1f}v{height * value / top:.1f}"
                f"h{-step * 0.8:.1f}z"
            )
            below[at] += value
        paths.append(f'<path class="c{number % COLOURS + 1}" d="{"".join(moves)}"/>')
    hover = "".join(
        f'<rect class="hover" x="{LEFT + at * step:.1f}" y="{TOP}" width="{step:.1f}" height="{height}"><title>'
        f"{escape(_hint(name, sums[at], [(one.name, one.values[at]) for one in series], write))}</title></rect>"
        for at, name in enumerate(names)
    )
    return _frame(size, title, top, write, labels, step, "".join(paths) + hover)


def _lines(
    size: ChartSize,
    labels: Sequence[str],
    series: Sequence[Series],
    write: Callable[[float], str],
    title: str,
    marks: Sequence[Mark],
) -> str:
    top = nice_top(max((value for one in series for value in one.values), default=0))
    height, step = size.height - TOP - BOTTOM, (size.width - LEFT - RIGHT) / max(1, len(labels))
    paths = []
    for number, one in enumerate(series):
        places = [
            f"{LEFT + (at + 0.5) * step:.1f} {TOP + height * (1 - value / top):.1f}"
            for at, value in enumerate(one.values)
        ]
        if places:
            paths.append(f'<path class="line c{number % COLOURS + 1}" d="M{"L".join(places)}"/>')
    dots = "".join(
        f'<circle class="mark" r="4" cx="{LEFT + (mark.at + 0.5) * step:.1f}" '
        f'cy="{TOP + height * (1 - mark.value / top):.1f}">'
        f"<title>{escape(f'{labels[mark.at]}: {mark.text}')}</title></circle>"
        for mark in marks
    )
    return _frame(size, title, top, write, labels, step, "".join(paths) + dots)


def _frame(
    size: ChartSize,
    title: str,
    top: float,
    write: Callable[[float], str],
    labels: Sequence[str],
    step: float,
    inner: str,
) -> str:
    height = size.height - TOP - BOTTOM
    grid = []
    for number in range(GRID_LINES + 1):
        y = TOP + height * (1 - number / GRID_LINES)
        grid.append(
            f'<path class="grid" d="M{LEFT} {y:.1f}H{size.width - RIGHT}"/>'
            f'<text class="end" x="{LEFT - 6}" y="{y + 4:.1f}">{escape(write(top * number / GRID_LINES))}</text>'
        )
    apart = max(1, math.ceil(len(labels) / size.labels))
    below = "".join(
        f'<text class="mid" x="{LEFT + (at + 0.5) * step:.1f}" y="{size.height - 5}">{escape(labels[at])}</text>'
        for at in range(0, len(labels), apart)
    )
    return (
        f'<svg class="{size.name}" role="img" aria-label="{escape(title)}" viewBox="0 0 {size.width} {size.height}">'
        f"{''.join(grid)}{inner}{below}</svg>"
    )


def _hint(name: str, whole: float, parts: Sequence[tuple[str, float]], write: Callable[[float], str]) -> str:
    lines = [f"{name}: {write(whole)}"]
    if len(parts) > 1:
        lines += [f"{shown_name(one_line(part))}: {write(value)}" for part, value in parts if value > 0]
    return "\n".join(lines)


def _legend(series: Sequence[Series]) -> str:
    if len(series) < 2:
        return ""
    names = "".join(
        f'<li><i class="c{number % COLOURS + 1}"></i>{escape(shown_name(one_line(one.name)))}</li>'
        for number, one in enumerate(series)
    )
    return f'<ul class="legend">{names}</ul>'
