"""A modicum key is read in the forms that are documented, and refused in every other: what is not recognized as ours
would go on to a provider, in clear.

A key stands alone in one of `KEY_HEADERS` (`authorization` with `Bearer ` before it), or in Gemini's `?key=`. Anywhere
else, quoted, encoded or with anything beside it, it is misplaced, whatever other key comes with it.
"""

import binascii
import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, unquote_to_bytes

from modicum.gateway.http.refusal import Refused
from modicum.governance.keys import PREFIX
from modicum.outbound.keepalive import Header

KEY_HEADERS = (b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key")
"""Where the clients of the three families put their key."""
_CREDENTIALS = frozenset({*KEY_HEADERS, b"proxy-authorization", b"cookie"})

_BEARER = re.compile(rb"bearer ([^\s]+)", re.IGNORECASE)
_PREFIX = PREFIX.encode()
_KEY = re.compile(rb"%b[0-9A-Za-z_-]*" % _PREFIX)
_WHOLE = re.compile(rb"%b[0-9a-f]{12}_" % _PREFIX, re.IGNORECASE)
"""The beginning of a real key, which nothing else has."""
_ANY = re.compile(rb"(?<![0-9a-z_-])%b|%b" % (_PREFIX, _WHOLE.pattern), re.IGNORECASE)
"""What is a key, or wants to be one, where a credential is expected. Foreign keys have the three letters within."""
_ENCODED = re.compile(rb"[0-9A-Za-z+/_-]{8,}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_MOST_LAYERS = 3
"""How often a value is decoded: a key in base64, percent-encoded twice, is found."""

HOW = "send it as 'authorization: Bearer KEY' with one blank, or alone in x-api-key, x-goog-api-key or api-key"


def token_in(name: bytes, value: bytes) -> bytes:
    """What a header that carries keys holds: without `Bearer ` before it, where that belongs. Empty: it is not written
    as a key is.
    """
    value = value.strip(b" \t")  # which the server leaves around it
    if name != b"authorization":
        return value
    found = _BEARER.fullmatch(value)
    return found[1] if found is not None else b""


def modicum_key(name: bytes, value: bytes) -> bytes:
    """The modicum key in a header that carries keys; empty: there is none in it.

    Raises:
        Refused: there is one, in a form that we do not take.
    """
    token = token_in(name, value)
    if _KEY.fullmatch(token):
        return token
    if _holds_key(value, _ANY):
        raise _misplaced(f"the header {name.decode('ascii')} holds it in another form")
    return b""


def check_places(headers: Sequence[Header], query: bytes, path: str) -> None:
    """Whether every modicum key of a request stands where keys are documented to stand.

    Raises:
        Refused: a modicum key stands where it would go upstream, or into a record.
    """
    others: list[bytes] = []
    for header in headers:
        if header[0] in KEY_HEADERS:
            modicum_key(*header)
        else:
            others += header
    if _may_hold_key(b"\n".join(others)):
        for name, value in headers:
            if name not in KEY_HEADERS and _holds_key(value, _ANY if name in _CREDENTIALS else _WHOLE):
                raise _misplaced("it stands in another header")
            if _WHOLE.search(name):
                raise _misplaced("it stands in the name of a header")
    if query:
        _check_query(query)
    if PREFIX in path and _WHOLE.search(path.encode("utf-8", "replace")):
        raise _misplaced("it stands in the path")


def query_key(query: bytes) -> bytes:
    """The key in a query, where Gemini's older clients put it.

    Raises:
        Refused: there are several.
    """
    if b"key=" not in query:
        return b""
    keys = [value for name, value in parse_qsl(query.decode("ascii", "replace")) if name == "key"]
    if len(keys) > 1:
        raise Refused(401, "the query holds several keys; send one", "misplaced_key")
    return keys[0].encode("utf-8", "replace") if keys else b""


def _check_query(query: bytes) -> None:
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if name == b"key" and _KEY.fullmatch(value):
            continue
        if _holds_key(part, _ANY if name == b"key" else _WHOLE):
            raise _misplaced("it stands elsewhere in the query, or encoded")


def _holds_key(value: bytes, pattern: re.Pattern[bytes], layers: int = _MOST_LAYERS) -> bool:
    """Whether there is a modicum key in a value: in clear, percent-encoded, or in base64 at whatever place. On the way
    of every call, so what has no sign of one is done with at once.
    """
    if not _may_hold_key(value):
        return False
    if pattern.search(value):
        return True
    if layers == 0:
        return False
    if b"%" in value and (plain := unquote_to_bytes(value)) != value and _holds_key(plain, pattern, layers - 1):
        return True
    # What begins by chance in the middle of decoded bytes is no sign of a key: there a whole one is looked for.
    return any(
        _holds_key(_decoded(run[0][start:]), _WHOLE if start else pattern, layers - 1)
        for run in _ENCODED.finditer(value)
        for start in range(4)
    )


def _may_hold_key(value: bytes) -> bool:
    """Quickly. The last three are what the prefix is in base64, at one of three places."""
    return _PREFIX in value.lower() or b"%" in value or b"bWtf" in value or b"1rX" in value or b"ta1" in value


def _decoded(text: bytes) -> bytes:
    """What base64 of either alphabet stands for; its end may be missing."""
    text = text.translate(_URL_SAFE)
    text = text[: len(text) - (len(text) % 4 == 1)]
    return binascii.a2b_base64(text + b"=" * (-len(text) % 4))


def _misplaced(where: str) -> Refused:
    return Refused(401, f"a modicum key is not where it belongs: {where}; {HOW}", "misplaced_key")
