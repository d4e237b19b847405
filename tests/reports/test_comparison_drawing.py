from xml.etree import ElementTree as ET

import pytest

from modicum.experiments.comparison import ParetoLine, ParetoPoint
from modicum.reports.comparison_drawing import HEIGHT, WIDTH, draw_comparison


def line(*points, measure="cost_usd"):
    made = [ParetoPoint(name=name, success=success, spent=spent, on_line=best) for name, success, spent, best in points]
    return ParetoLine(measure=measure, tasks=9, points=made, left_out=[])


def elements(picture, name):
    return [each for each in ET.fromstring(picture).iter() if each.tag.endswith(name)]  # noqa: S314 - our own


SEVERAL = [("cheap", 0.5, 0.1, True), ("good <&>", 0.9, 0.3, True), ("beaten", 0.5, 0.3, False)]


def test_every_arm_is_a_point_with_its_name_and_the_best_are_joined():
    picture = draw_comparison(line(*SEVERAL), "Trade-off")

    words = {each.text for each in elements(picture, "text")}
    assert {"cheap", "good <&>", "beaten", "Trade-off"} <= words
    assert len(elements(picture, "circle")) == 3
    assert len(elements(picture, "polyline")[0].get("points").split()) == 2
    assert "9 tasks that all arms ran; green: no other succeeds as often for less" in words


@pytest.mark.parametrize(
    "points",
    [
        SEVERAL,
        [("a", 1.0, 0.0, True), ("b", 1.0, 0.0, True)],
        [("a" * 60, 0.0, 5e-7, True), ("b" * 60, 1.0, 9e6, True)],
        [(f"arm number {number}", 1.0, 0.17 + number / 1e4, number == 0) for number in range(12)],
    ],
)
def test_everything_lies_inside_the_picture_and_no_two_names_on_each_other(points):
    picture = draw_comparison(line(*points, measure="total_tokens"), "t")

    for circle in elements(picture, "circle"):
        assert 0 < float(circle.get("cx")) < WIDTH
        assert 0 < float(circle.get("cy")) < HEIGHT
    names = {name if len(name) <= 32 else f"{name[:31]}…" for name, *_ in points}
    places = [(float(each.get("x")), float(each.get("y"))) for each in elements(picture, "text") if each.text in names]
    assert len(places) == len(points)
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in places)
    assert len(set(places)) == len(points)
