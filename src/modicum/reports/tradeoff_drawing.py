"""The trade-off curve as a picture: SVG, drawn by hand, readable without scripts or fonts from elsewhere.

Across: time between tokens, what one user feels. Up: generated tokens per watt. Each point is a concurrency.
"""

import math
from collections.abc import Sequence

from modicum.energy.tradeoff import CurveChoices, CurvePoint
from modicum.reports import svg
from modicum.reports.svg import QUIET

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 80, 30, 70, 70
GRID = "#e8ebef"
FASTEST, WATT, CHEAPEST = "#b4531a", "#1b7f4b", "#2b5fb3"
LABEL_WIDTH = 170


def draw_curve(points: Sequence[CurvePoint], choices: CurveChoices, title: str, subtitle: str) -> str:
    """An SVG document. Points without energy are left out; there is at least one with."""
    shown = [point for point in points if point.tokens_per_watt is not None]
    across = _Axis([p.time_between_tokens_s * 1000 for p in shown], LEFT, WIDTH - RIGHT)
    up = _Axis([p.tokens_per_watt or 0 for p in shown], HEIGHT - BOTTOM, TOP)
    places = [(across.at(p.time_between_tokens_s * 1000), up.at(p.tokens_per_watt or 0)) for p in shown]
    curve = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts = [
        svg.text(LEFT, 26, title, size=17, bold=True),
        svg.text(LEFT, 46, subtitle, fill=QUIET),
        *_draw_grid(across, up),
        *_draw_limit(choices, across),
        f'<polyline fill="none" stroke="#9aa3b0" stroke-width="2" points="{curve}"/>\n',
    ]
    for point, (x, y) in zip(shown, places, strict=True):
        parts.extend(_draw_mark(point, x, y, choices))
    return svg.document(WIDTH, HEIGHT, title, parts)


class _Axis:
    """A logarithmic axis with round ends."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        low, high = min(values), max(values)
        self.low, self.high = low / 1.25, high * 1.25
        self.start, self.end = start, end

    def at(self, value: float) -> float:
        part = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self) -> list[float]:
        digits = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8) if self.high < 5 * self.low else (1, 2, 5)
        found: list[float] = []
        for exponent in range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1):
            found += [digit * 10.0**exponent for digit in digits]
        return [tick for tick in found if self.low <= tick <= self.high]


def _draw_grid(across: _Axis, up: _Axis) -> list[str]:
    parts = []
    base, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for tick in across.ticks():
        x = across.at(tick)
        parts += [svg.line(x, base, x, TOP, GRID), svg.text(x, base + 20, f"{tick:g}", anchor="middle", fill=QUIET)]
    for tick in up.ticks():
        y = up.at(tick)
        parts += [svg.line(LEFT, y, right, y, GRID), svg.text(LEFT - 8, y + 4, f"{tick:g}", anchor="end", fill=QUIET)]
    below = "time between tokens of one stream, ms (left is faster for each user)"
    beside = "generated tokens per joule (= per second and watt)"
    parts.append(svg.text((LEFT + right) / 2, HEIGHT - 22, below, anchor="middle"))
    parts.append(svg.text(22, (TOP + base) / 2, beside, anchor="middle", turned=True))
    return parts


def _draw_limit(choices: CurveChoices, across: _Axis) -> list[str]:
    if choices.within_s is None or not across.low < choices.within_s * 1000 < across.high:
        return []
    x = across.at(choices.within_s * 1000)
    return [
        svg.line(x, TOP, x, HEIGHT - BOTTOM, CHEAPEST, dashed=True),
        svg.text(x, TOP - 6, f"limit {choices.within_s * 1000:g} ms", anchor="middle", fill=CHEAPEST),
    ]


def _draw_mark(point: CurvePoint, x: float, y: float, choices: CurveChoices) -> list[str]:
    names = [
        (name, colour)
        for name, colour, chosen in (
            ("fastest", FASTEST, choices.fastest),
            ("most tokens per watt", WATT, choices.most_tokens_per_watt),
            ("cheapest within the limit", CHEAPEST, choices.cheapest_within),
        )
        if chosen is not None and chosen.concurrency == point.concurrency
    ]
    colour = names[0][1] if names else QUIET
    # The curve rises to the right: below it on the right there is room, and above it on the left. At the picture's
    # edges labels lean inwards.
    label = min(x + 12, WIDTH - RIGHT - LABEL_WIDTH)
    words = f"{point.concurrency} at once, {point.tokens_per_second:,.0f} tok/s"
    anchor, shift = ("end", -12) if x > LEFT + LABEL_WIDTH else ("start", 12)
    return [
        svg.circle(x, y, 7 if names else 4.5, f'fill="{colour}"'),
        svg.text(label, y + 24, words, fill=QUIET, halo=True),
        *(
            svg.text(x + shift, y - 10 - 16 * row, name, anchor=anchor, fill=shade, bold=True, halo=True)
            for row, (name, shade) in enumerate(names)
        ),
    ]
