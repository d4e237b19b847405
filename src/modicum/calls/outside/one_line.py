"""Names that other programs gave, in output that has one line each: no name may end a row or steer a terminal."""

import re

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters, separators of lines, and marks that turn the direction of text."""


def one_line(text: str) -> str:
    r"""The text with control characters written out: a line break as `\n`."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
