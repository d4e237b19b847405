"""Texts in pages and pictures: nothing in a name is markup, and none turns the direction of what stands behind it."""

from html import escape as escape_markup

from modicum.calls.outside.one_line import one_line


def escape(text: str) -> str:
    """The text for HTML and SVG, quotes included; control characters are written out, line ends stay."""
    return escape_markup("\n".join(map(one_line, text.split("\n"))))
