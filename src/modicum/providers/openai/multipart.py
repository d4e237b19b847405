"""Forms with files (`multipart/form-data`), as clients send pictures and sound: their short fields, and one changed.

Only what stands before a file's bytes is looked at; a file's are never copied. Source: RFC 7578.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from modicum.providers.facts import DialectError

MOST_FIELD_BYTES = 4096
"""Of a field that is read as text. A prompt may be longer; it is not read."""
MOST_PARTS = 1000
MOST_PART_HEAD = 8192
_LONGEST_BOUNDARY = 70
_NAME = re.compile(rb"""(?i)content-disposition:[^\r\n]*?[;\s]name="?([^";\r\n]+)"?""")
_FILE = re.compile(rb"(?i)content-disposition:[^\r\n]*?[;\s]filename\*?=")


class FormPart(NamedTuple):
    """A part of a form, by its place in the body."""

    name: str
    start: int
    end: int
    is_file: bool


def is_form(body: bytes) -> bool:
    """Whether a body is a form: no JSON begins so."""
    return body.startswith(b"--")


def form_parts(body: bytes) -> Iterator[FormPart]:
    """The parts of a form.

    Raises:
        DialectError: it is none.
    """
    line_end = body.find(b"\r\n", 0, _LONGEST_BOUNDARY + 4)
    if line_end < 0:
        raise DialectError(400, "the form has no boundary")
    boundary = b"\r\n" + body[:line_end]
    at = line_end + 2
    for _ in range(MOST_PARTS):
        head_end = body.find(b"\r\n\r\n", at, at + MOST_PART_HEAD)
        if head_end < 0:
            raise DialectError(400, "a part of the form has no head")
        end = body.find(boundary, head_end + 2)
        if end < 0:
            raise DialectError(400, "the form does not end with its boundary")
        head = body[at:head_end]
        found = _NAME.search(head)
        name = found[1].decode("utf-8", "replace") if found else ""
        yield FormPart(name, head_end + 4, max(end, head_end + 4), _FILE.search(head) is not None)
        at = end + len(boundary)
        if body[at : at + 2] == b"--":
            return
        at += 2
    raise DialectError(400, f"the form has more than {MOST_PARTS} parts")


def form_texts(body: bytes) -> dict[str, str]:
    """The short fields of a form.

    Raises:
        DialectError: it is no form, or names its model twice: one server takes the first, another the last.
    """
    texts: dict[str, str] = {}
    for part in form_parts(body):
        if part.name.casefold() == "model" and ("model" in texts or part.is_file or part.name != "model"):
            raise DialectError(400, "the form names its model twice, or not as text", "model_invalid")
        if not part.is_file and part.end - part.start <= MOST_FIELD_BYTES:
            texts.setdefault(part.name, body[part.start : part.end].decode("utf-8", "replace"))
    return texts


def with_field(body: bytes, name: str, value: str) -> bytes:
    """The form with another value of a field, or with that field in front where it has none.

    Raises:
        DialectError: it is no form.
    """
    for part in form_parts(body):
        if part.name == name:
            return body[: part.start] + value.encode() + body[part.end :]
    boundary = body[: body.index(b"\r\n")]
    head = b'%b\r\ncontent-disposition: form-data; name="%b"\r\n\r\n' % (boundary, name.encode())
    return head + value.encode() + b"\r\n" + body
