from xml.etree import ElementTree as ET

from energy.law_points import dense, made
from modicum.energy.tradeoff import choose_points, make_curve
from modicum.reports.tradeoff_drawing import HEIGHT, WIDTH, draw_curve


def drawn(points, within_s=0.012):
    found = make_curve(points)
    return draw_curve(found, choose_points(found, within_s), "m <1>: speed", "1 x H100")


def texts(picture):
    return [element.text for element in ET.fromstring(picture).iter() if element.tag.endswith("text")]  # noqa: S314 - our own


def test_the_three_points_are_named_and_every_point_is_labelled():
    words = texts(drawn(dense()))

    assert {"fastest", "most tokens per watt", "cheapest within the limit"} <= set(words)
    assert sum("at once" in word for word in words) == 8
    assert "m <1>: speed" in words


def test_everything_lies_inside_the_picture():
    circles = [
        element
        for element in ET.fromstring(drawn(dense())).iter()  # noqa: S314 - our own
        if element.tag.endswith("circle")
    ]

    assert len(circles) == 8
    assert all(0 < float(c.get("cx")) < WIDTH and 0 < float(c.get("cy")) < HEIGHT for c in circles)


def test_points_without_energy_are_left_out():
    assert sum("at once" in word for word in texts(drawn([made(1, None), made(2, 1.0), made(4, 0.6)]))) == 2


def test_a_single_point_can_be_drawn():
    assert "fastest" in texts(drawn([made(4, 0.5)]))
