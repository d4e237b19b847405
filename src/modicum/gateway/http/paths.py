"""What is served under which path, and what is passed on without being metered.

Paths are compared as they are served: decoded once, by the server. A path that still holds a percent sign, a
backslash, a double slash or a dot segment is none of ours.
"""

import re
from collections.abc import Container
from typing import NamedTuple

from modicum.gateway.http.refusal import Refused
from modicum.providers.batches.facts import BatchTarget
from modicum.providers.dialect import Dialect, Target, quoted
from modicum.providers.dialects import DIALECTS
from modicum.providers.unmetered.dialect import is_closed

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
    is_streamed: bool = False
    """As `Target.is_streamed`."""
    counts_tokens: bool = False
    """As `Target.counts_tokens`."""
    batch: BatchTarget | None = None
    """As `Target.batch`."""
    root: str = ""
    """As `Target.root`."""
    deployment: str = ""
    """The deployment that an Azure path names, and so the model."""

    @classmethod
    def of(cls, dialect: Dialect, target: Target, method: str = "POST") -> "Served":
        return cls(
            dialect,
            CALL if target.is_call else ASIDE,
            target.path,
            method.encode("ascii"),
            target.late_reply,
            target.is_streamed,
            target.counts_tokens,
            target.batch,
            target.root,
        )


def served(method: str, path: str, headers: Container[bytes]) -> Served:
    """What a request asks for. `headers`: the names of those that it has; clients of some APIs are known by one.

    Raises:
        Refused: nothing is served there, or not with this method.
    """
    if "%" in path or "\\" in path or "//" in path or "/." in path or not path.isprintable():
        raise Refused(404, "nothing is served under this path", "unknown_path")
    path, deployment = _plain(path)
    fixed = _FIXED.get(path)
    if fixed is not None:
        if method != "POST":
            raise Refused(405, f"{path} takes POST", "method_not_allowed")
        return fixed._replace(deployment=deployment) if deployment else fixed
    lister = next((dialect for dialect in _LISTERS if dialect.list_header in headers), _USUAL)
    owners = [dialect for dialect, area in _AREAS if area.match(path)]
    if len(owners) > 1:  # one path of two APIs: the client says whose it speaks
        owners = [dialect for dialect in owners if dialect.api.name == lister.api.name] or owners
    for owner in owners:
        if target := owner.find(method, path):
            return Served.of(owner, target, method)
    if not owners and method == "GET" and (path == "/v1/models" or path.startswith("/v1/models/")):
        return Served(lister, ASIDE, quoted(path.removeprefix("/v1")), b"GET")
    if path.endswith("/") or any(owner.metered and owner.metered.fullmatch(path) for owner in owners):
        raise Refused(404, "nothing is served under this path", "unknown_path")
    return _unmetered(method, path, owners[0] if owners else lister)


def _unmetered(method: str, path: str, owner: Dialect) -> Served:
    """A path of an API that we know, and nothing more of it.

    Raises:
        Refused: it is none, or one that is not passed on.
    """
    if is_closed(path):
        raise Refused(
            403,
            "this path administers the account or hands out keys: it is not passed on; ask the provider itself",
            "path_not_passed",
        )
    dialect = _UNMETERED[owner.api.name]
    target = dialect.find(method, path)
    if target is None:
        raise Refused(404, "nothing is served under this path", "unknown_path")
    return Served.of(dialect, target, method)


def _plain(path: str) -> tuple[str, str]:
    """A path of Azure, or of Gemini's endpoint for OpenAI's clients, as OpenAI has it; and the deployment that it
    names.
    """
    if not path.startswith(_ELSEWHERE):
        return path, ""
    if found := _DEPLOYMENT.fullmatch(path):
        return f"/v1/{found[2]}", found[1]
    return f"/v1/{path.removeprefix(next(filter(path.startswith, _ELSEWHERE)))}", ""


def has_websocket(path: str) -> bool:
    """Whether a WebSocket may be opened under a path."""
    return _plain(path)[0] in _WEBSOCKETS


def dialect_of(path: str) -> Dialect:
    """In whose words a path is refused."""
    path, _ = _plain(path)
    return next((dialect for dialect, area in _AREAS if area.match(path)), _USUAL)


_ELSEWHERE = ("/openai/v1/", "/openai/", "/v1beta/openai/")
"""Where OpenAI's paths stand on Azure and in the Gemini API."""
_DEPLOYMENT = re.compile(r"/openai/deployments/([^/]+)/(.+)")
_FIXED = {path: Served.of(dialect, target) for dialect in DIALECTS.values() for path, target in dialect.paths.items()}
_WEBSOCKETS = frozenset(next(iter(one.paths)) for one in DIALECTS.values() if one.has_websocket)
_AREAS = [(dialect, dialect.area) for dialect in DIALECTS.values() if dialect.area is not None]
_LISTERS = [dialect for dialect in DIALECTS.values() if dialect.list_header]
_UNMETERED = {dialect.api.name: dialect for dialect in DIALECTS.values() if not dialect.is_metered}
_USUAL = next(iter(DIALECTS.values()))
