"""A line behind the last words of a request, in the content of its last message: no API refuses that, as some refuse a
message of the user right behind a tool's result.
"""

import msgspec

_raws = msgspec.json.Decoder(list[msgspec.Raw])
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.encode


def content_with_line(content: msgspec.Raw | None, line: str, part_type: str) -> msgspec.Raw | None:
    """A content with a line at its end, its parts as they were; None: it is neither a text nor a list of parts."""
    start = b"" if content is None else bytes(content).lstrip()[:1]
    if content is None or start not in {b'"', b"["}:
        return None
    if start == b'"':
        return msgspec.Raw(_encode(f"{_decode(content)}\n\n{line}"))
    return msgspec.Raw(_encode([*_raws.decode(content), {"type": part_type, "text": line}]))
