from xml.etree import ElementTree as ET

from modicum.reports import svg

SPACE = "{http://www.w3.org/2000/svg}"


def test_words_cannot_break_the_picture():
    picture = svg.document(100, 50, "a < b", [svg.text(1, 2, '<c & "d">', halo=True, turned=True)])

    tree = ET.fromstring(picture)  # noqa: S314 - our own output
    assert [tree.findtext(f"{SPACE}title"), tree.findtext(f"{SPACE}text")] == ["a < b", '<c & "d">']


def test_shapes_say_where_they_are():
    assert svg.line(0, 1, 2, 3, "red") == '<line x1="0.0" y1="1.0" x2="2.0" y2="3.0" stroke="red"/>\n'
    assert svg.circle(4, 5, 4.5, 'fill="red"') == '<circle cx="4.0" cy="5.0" r="4.5" fill="red"/>\n'
