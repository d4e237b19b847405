"""Lists of JSON objects with the same keys as a table: the keys once, then a row for each object."""

import msgspec

from modicum.calls.rule import Safety
from modicum.optimizers.arrival import arrival_rule
from modicum.optimizers.json_minify import may_be_json, minify_json

COLUMNS, ROWS = "columns of this table", "rows"
LEAST_ROWS = 3
MOST_LEVELS = 12
_MARK = b'"columns of this table"'
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_names = msgspec.json.Decoder(list[str])
_encode = msgspec.json.encode
_CANNOT = (msgspec.MsgspecError, UnicodeError, RecursionError)


def json_with_tables(text: str) -> str:
    """The same data with uniform lists as tables; `json_without_tables` turns it back. What is no single JSON value, or
    has a key that we use ourselves, stays as it is.
    """
    minified = minify_json(text)
    try:
        raw = minified.encode()
        if _MARK in raw or "\\u" in minified:  # a key may be written with escapes: then nobody can tell
            return text
        tables = _with_tables(raw, 0)
    except _CANNOT:
        return text
    return text if tables == raw else tables.decode()


def json_without_tables(text: str) -> str:
    """The JSON, without white space, that the tables were made of.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return _without_tables(minify_json(text).encode()).decode()
    except _CANNOT as error:
        raise ValueError("this is no JSON with tables") from error


def _with_tables(raw: bytes, level: int) -> bytes:
    if level > MOST_LEVELS:
        return raw
    if raw.startswith(b"{"):
        fields = _fields.decode(raw)
        if _encode(fields) != raw:  # a key that comes twice, or an escape that we would write in another way
            return raw
        changed = {name: _changed(bytes(value), level) for name, value in fields.items()}
        return _encode(changed)
    if raw.startswith(b"["):
        items = [bytes(item) for item in _items.decode(raw)]
        table = _table(items)
        if table is not None and len(table) < len(raw):
            return table
        return _encode([_changed(item, level) for item in items])
    return raw


def _changed(value: bytes, level: int) -> msgspec.Raw:
    return msgspec.Raw(_with_tables(value, level + 1) if value.startswith((b"{", b"[")) else value)


def _table(items: list[bytes]) -> bytes | None:
    if len(items) < LEAST_ROWS or not all(item.startswith(b"{") for item in items):
        return None
    rows = []
    names: list[str] | None = None
    for item in items:
        fields = _fields.decode(item)
        if names is None:
            names = list(fields)
        if not names or list(fields) != names or _encode(fields) != item:
            return None
        rows.append(list(fields.values()))
    return _encode({COLUMNS: names, ROWS: rows})


def _without_tables(raw: bytes) -> bytes:
    if raw.startswith(b"{"):
        fields = _fields.decode(raw)
        if list(fields) == [COLUMNS, ROWS]:
            names = _names.decode(fields[COLUMNS])
            rows = [_items.decode(row) for row in _items.decode(fields[ROWS])]
            return _encode([dict(zip(names, row, strict=True)) for row in rows])
        if _encode(fields) != raw:
            return raw
        return _encode({name: msgspec.Raw(_without_tables(bytes(value))) for name, value in fields.items()})
    if raw.startswith(b"["):
        return _encode([msgspec.Raw(_without_tables(bytes(item))) for item in _items.decode(raw)])
    return raw


TABLES = arrival_rule(
    "content.json_tables",
    json_with_tables,
    safety=Safety.REVERSIBLE,
    purpose="lists of like objects as tables",
    may_fit=may_be_json,
    changes_form=True,
)
