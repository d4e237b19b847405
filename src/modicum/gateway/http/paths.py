"""What is served under which path. Everything else is refused.

Paths are compared as they are served: decoded once, by the server. A path that still holds a percent sign, a
backslash, a double slash or a dot segment is none of ours.
"""

from collections.abc import Container
from typing import NamedTuple

from modicum.gateway.http.refusal import Refused
from modicum.providers.dialect import Dialect, Target, quoted
from modicum.providers.dialects import DIALECTS

CALL, ASIDE = "call", "aside"


class Served(NamedTuple):
    """One thing that can be asked for."""

    dialect: Dialect
    what: str
    """CALL: billed, metered, recorded. ASIDE: passed on after the key check (lists of models, token counts)."""
    target: str
    """The path below the upstream's address, as it is written there."""
    method: bytes = b"POST"
    late_reply: str = ""
    """As `Target.late_reply`."""

    @classmethod
    def of(cls, dialect: Dialect, target: Target, method: str = "POST") -> "Served":
        what = CALL if target.is_call else ASIDE
        return cls(dialect, what, target.path, method.encode("ascii"), target.late_reply)


def served(method: str, path: str, headers: Container[bytes]) -> Served:
    """What a request asks for. `headers`: the names of those that it has; clients of some APIs are known by one.

    Raises:
        Refused: nothing is served there, or not with this method.
    """
    if "%" in path or "\\" in path or "//" in path or "/." in path or not path.isprintable():
        raise Refused(404, "nothing is served under this path", "unknown_path")
    fixed = _FIXED.get(path)
    if fixed is not None:
        if method != "POST":
            raise Refused(405, f"{path} takes POST", "method_not_allowed")
        return fixed
    owner = next((dialect for dialect, area in _AREAS if area.match(path)), None)
    if owner is not None and (target := owner.find(method, path)):
        return Served.of(owner, target, method)
    if owner is None and method == "GET" and (path == "/v1/models" or path.startswith("/v1/models/")):
        lister = next((dialect for dialect in _LISTERS if dialect.list_header in headers), _USUAL)
        return Served(lister, ASIDE, quoted(path.removeprefix("/v1")), b"GET")
    raise Refused(404, "nothing is served under this path", "unknown_path")


def dialect_of(path: str) -> Dialect:
    """In whose words a path is refused."""
    return next((dialect for dialect, area in _AREAS if area.match(path)), _USUAL)


_FIXED = {path: Served.of(dialect, target) for dialect in DIALECTS.values() for path, target in dialect.paths.items()}
_AREAS = [(dialect, dialect.area) for dialect in DIALECTS.values() if dialect.area is not None]
_LISTERS = [dialect for dialect in DIALECTS.values() if dialect.list_header]
_USUAL = next(iter(DIALECTS.values()))
