"""The trade-off curve as a picture: SVG, drawn by hand, readable without scripts or fonts from elsewhere.

Across: time between tokens, what one user feels. Up: generated tokens per watt. Each point is a concurrency.
"""

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from modicum.energy.tradeoff import CurveChoices, CurvePoint

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 80, 30, 70, 70
COLOURS = {"fastest": "#b4531a", "watt": "#1b7f4b", "cheapest": "#2b5fb3", "plain": "#5a6270"}
LABEL_WIDTH = 170
HALO = 'paint-order="stroke" stroke="#ffffff" stroke-width="4"'
"""White around letters, so that lines behind them do not make them hard to read."""


def draw_curve(points: Sequence[CurvePoint], choices: CurveChoices, title: str, subtitle: str) -> str:
    """An SVG document. Points without energy are left out; there is at least one with."""
    shown = [point for point in points if point.tokens_per_watt is not None]
    across = _Axis([p.time_between_tokens_s * 1000 for p in shown], LEFT, WIDTH - RIGHT)
    up = _Axis([p.tokens_per_watt or 0 for p in shown], HEIGHT - BOTTOM, TOP)
    places = [(across.at(p.time_between_tokens_s * 1000), up.at(p.tokens_per_watt or 0)) for p in shown]
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
            f'font-size="13" role="img"><title>{escape(title)}</title>'
        ),
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="26" font-size="17" font-weight="bold" fill="#1c222b">{escape(title)}</text>',
        f'<text x="{LEFT}" y="46" fill="{COLOURS["plain"]}">{escape(subtitle)}</text>',
        *_draw_grid(across, up),
        *_draw_limit(choices, across),
        '<polyline fill="none" stroke="#9aa3b0" stroke-width="2" points="'
        + " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        + '"/>',
    ]
    for point, (x, y) in zip(shown, places, strict=True):
        parts.extend(_draw_mark(point, x, y, choices))
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


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
    base, top = HEIGHT - BOTTOM, TOP
    for tick in across.ticks():
        x = across.at(tick)
        parts.append(f'<line x1="{x:.1f}" y1="{base}" x2="{x:.1f}" y2="{top}" stroke="#e8ebef"/>')
        parts.append(f'<text x="{x:.1f}" y="{base + 20}" text-anchor="middle" fill="#5a6270">{tick:g}</text>')
    for tick in up.ticks():
        y = up.at(tick)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#e8ebef"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#5a6270">{tick:g}</text>')
    middle_x, middle_y = (LEFT + WIDTH - RIGHT) / 2, (TOP + base) / 2
    parts.append(
        f'<text x="{middle_x}" y="{HEIGHT - 22}" text-anchor="middle" fill="#1c222b">'
        "time between tokens of one stream, ms (left is faster for each user)</text>"
    )
    parts.append(
        f'<text x="22" y="{middle_y}" text-anchor="middle" fill="#1c222b" transform="rotate(-90 22 {middle_y})">'
        "generated tokens per joule (= per second and watt)</text>"
    )
    return parts


def _draw_limit(choices: CurveChoices, across: _Axis) -> list[str]:
    if choices.within_s is None or not across.low < choices.within_s * 1000 < across.high:
        return []
    x = across.at(choices.within_s * 1000)
    return [
        (
            f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" stroke="{COLOURS["cheapest"]}" '
            'stroke-dasharray="5 4"/>'
        ),
        (
            f'<text x="{x:.1f}" y="{TOP - 6}" text-anchor="middle" fill="{COLOURS["cheapest"]}">limit '
            f"{choices.within_s * 1000:g} ms</text>"
        ),
    ]


def _draw_mark(point: CurvePoint, x: float, y: float, choices: CurveChoices) -> list[str]:
    names = [
        (name, colour)
        for name, colour, chosen in (
            ("fastest", COLOURS["fastest"], choices.fastest),
            ("most tokens per watt", COLOURS["watt"], choices.most_tokens_per_watt),
            ("cheapest within the limit", COLOURS["cheapest"], choices.cheapest_within),
        )
        if chosen is not None and chosen.concurrency == point.concurrency
    ]
    colour = names[0][1] if names else COLOURS["plain"]
    # The curve rises to the right: below it on the right there is room, and above it on the left. At the picture's
    # edges labels lean inwards.
    label = min(x + 12, WIDTH - RIGHT - LABEL_WIDTH)
    words = f"{point.concurrency} at once, {point.tokens_per_second:,.0f} tok/s"
    parts = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{7 if names else 4.5}" fill="{colour}"/>',
        f'<text x="{label:.1f}" y="{y + 24:.1f}" fill="#5a6270" {HALO}>{words}</text>',
    ]
    anchor, shift = ("end", -12) if x > LEFT + LABEL_WIDTH else ("start", 12)
    for line, (name, shade) in enumerate(names):
        parts.append(
            f'<text x="{x + shift:.1f}" y="{y - 10 - 16 * line:.1f}" text-anchor="{anchor}" fill="{shade}" '
            f'font-weight="bold" {HALO}>{name}</text>'
        )
    return parts
