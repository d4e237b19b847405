"""Arms by what they take and how often they succeed, with the line of those that no other beats. SVG, no script."""

import math
from collections.abc import Sequence

from modicum.calls.words.counted_nouns import number_of
from modicum.experiments.comparison import ParetoLine, ParetoPoint
from modicum.reports import svg
from modicum.reports.svg import QUIET

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 80, 40, 70, 70
GRID, BEST = "#e8ebef", "#1b7f4b"
NAMES = {"cost_usd": "dollars per run (left is cheaper)", "total_tokens": "tokens per run (left is fewer)"}
LETTER_WIDTH, LINE_HEIGHT = 7.2, 16


def draw_comparison(line: ParetoLine, title: str) -> str:
    """An SVG document. Points are values without intervals: what may be concluded stands in the verdicts."""
    across = _span([point.spent for point in line.points])
    up = _span([point.success for point in line.points], least=0.02, ends=(0.0, 1.0))
    places = {point.name: (_across(point.spent, across), _up(point.success, up)) for point in line.points}
    best = sorted((point for point in line.points if point.on_line), key=lambda point: point.spent)
    steps = " ".join(f"{places[point.name][0]:.1f},{places[point.name][1]:.1f}" for point in best)
    subtitle = f"{number_of(line.tasks, 'task')} that all arms ran; green: no other succeeds as often for less"
    parts = [
        svg.text(LEFT, 26, title, size=17, bold=True),
        svg.text(LEFT, 46, subtitle, fill=QUIET),
        *_draw_grid(line.measure, across, up),
        f'<polyline fill="none" stroke="{BEST}" stroke-width="2" points="{steps}"/>\n' if len(best) > 1 else "",
        *(
            svg.circle(*places[point.name], 6 if point.on_line else 4.5, f'fill="{BEST if point.on_line else QUIET}"')
            for point in line.points
        ),
        *_draw_names(line.points, places),
    ]
    return svg.document(WIDTH, HEIGHT, title, parts)


def _span(
    values: Sequence[float], *, least: float = 0.0, ends: tuple[float, float] | None = None
) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = max((high - low) * 0.15, least, abs(high) * 0.02, 1e-9)
    low, high = low - room, high + room
    if ends is not None:
        low, high = max(ends[0] - 0.02, low), min(ends[1] + 0.02, high)
    return low if low > 0 or ends is not None else 0.0, high


def _across(value: float, span: tuple[float, float]) -> float:
    return LEFT + (value - span[0]) / (span[1] - span[0]) * (WIDTH - LEFT - RIGHT)


def _up(value: float, span: tuple[float, float]) -> float:
    return HEIGHT - BOTTOM - (value - span[0]) / (span[1] - span[0]) * (HEIGHT - BOTTOM - TOP)


def _ticks(span: tuple[float, float]) -> list[float]:
    step = 10 ** math.floor(math.log10((span[1] - span[0]) / 3))
    step *= next((many for many in (1, 2, 5) if (span[1] - span[0]) / (step * many) <= 7), 10)
    return [number * step for number in range(math.ceil(span[0] / step), math.floor(span[1] / step) + 1)]


def _draw_grid(measure: str, across: tuple[float, float], up: tuple[float, float]) -> list[str]:
    base, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for tick in _ticks(across):
        x = _across(tick, across)
        label = f"${tick:,.4g}" if measure == "cost_usd" else f"{tick:,.4g}"
        parts += [svg.line(x, base, x, TOP, GRID), svg.text(x, base + 20, label, anchor="middle", fill=QUIET)]
    for tick in _ticks(up):
        if 0 <= tick <= 1:
            y = _up(tick, up)
            parts += [
                svg.line(LEFT, y, right, y, GRID),
                svg.text(LEFT - 8, y + 4, f"{tick * 100:.4g} %", anchor="end", fill=QUIET),
            ]
    parts.append(svg.text((LEFT + right) / 2, HEIGHT - 22, NAMES[measure], anchor="middle"))
    parts.append(svg.text(22, (TOP + base) / 2, "success (up is more often)", anchor="middle", turned=True))
    return parts


def _draw_names(points: Sequence[ParetoPoint], places: dict[str, tuple[float, float]]) -> list[str]:
    """Each name beside its point, moved up or down until it lies on no other."""
    taken_boxes: list[tuple[float, float, float]] = []
    parts = []
    for point in sorted(points, key=lambda point: (not point.on_line, point.spent)):
        x, y = places[point.name]
        name = point.name if len(point.name) <= 32 else f"{point.name[:31]}…"
        width = len(name) * LETTER_WIDTH
        left = x + 10 if x + 10 + width < WIDTH else x - 10 - width
        row = _free_row(left, left + width, y + 4, taken_boxes)
        taken_boxes.append((left, left + width, row))
        parts.append(svg.text(left, row, name, fill=BEST if point.on_line else QUIET, bold=point.on_line, halo=True))
    return parts


def _free_row(left: float, right: float, row: float, boxes: Sequence[tuple[float, float, float]]) -> float:
    for step in range(40):
        shift = (step + 1) // 2 * LINE_HEIGHT * (1 if step % 2 else -1)
        free = row + shift
        if TOP - 8 <= free <= HEIGHT - 4 and not any(
            left < other_right and other_left < right and abs(free - other) < LINE_HEIGHT - 2
            for other_left, other_right, other in boxes
        ):
            return free
    return row
