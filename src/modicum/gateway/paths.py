"""What is served under which path. Everything else is refused.

Paths are compared as they are served: decoded once, by the server. A path that still holds a percent sign, a
backslash, a double slash or a dot segment is none of ours.
"""

from typing import NamedTuple
from urllib.parse import quote

from modicum.gateway.refusal import Refused
from modicum.providers.dialect import Dialect
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


def served(method: str, path: str, *, anthropic: bool) -> Served:
    """What a request asks for. `anthropic`: it has the header that only Anthropic's clients send.

    Raises:
        Refused: nothing is served there, or not with this method.
    """
    if "%" in path or "\\" in path or "//" in path or "/." in path or not path.isprintable():
        raise Refused(404, "nothing is served under this path", "unknown_path")
    found = _FIXED.get(path)
    if found is not None:
        if method != "POST":
            raise Refused(405, f"{path} takes POST", "method_not_allowed")
        return found
    for beginning in GEMINI:
        if path.startswith(beginning) and (":" in path or beginning == GEMINI[0]):
            return _gemini(method, path.removeprefix(beginning))
    if method == "GET" and (path == "/v1/models" or path.startswith("/v1/models/")):
        return Served(
            DIALECTS["anthropic-messages" if anthropic else "openai-chat"],
            ASIDE,
            _quoted(path.removeprefix("/v1")),
            b"GET",
        )
    raise Refused(404, "nothing is served under this path", "unknown_path")


def _quoted(path: str) -> str:
    """What was decoded stays a part of the path: nothing in a model's name begins something else upstream."""
    return quote(path, safe="/:@!$&'()*+,=~")


def _gemini(method: str, rest: str) -> Served:
    dialect = DIALECTS["gemini-generate"]
    target = _quoted(f"/models/{rest}")
    model, _, verb = rest.partition(":")
    if "/" not in model:
        if method == "POST" and verb in {"generateContent", "streamGenerateContent"} and model:
            return Served(dialect, CALL, target)
        if method == "POST" and verb == "countTokens" and model:
            return Served(dialect, ASIDE, target)
        if method == "GET" and not verb:
            return Served(dialect, ASIDE, target.rstrip("/"), b"GET")
    raise Refused(404, "nothing is served under this path", "unknown_path")


GEMINI = ("/v1beta/models/", "/v1/models/")
"""Google's clients use either; the version that goes upstream is that of the upstream's address."""
_FIXED = {
    "/v1/chat/completions": Served(DIALECTS["openai-chat"], CALL, "/chat/completions"),
    "/v1/responses": Served(DIALECTS["openai-responses"], CALL, "/responses"),
    "/v1/embeddings": Served(DIALECTS["openai-embeddings"], CALL, "/embeddings"),
    "/v1/messages": Served(DIALECTS["anthropic-messages"], CALL, "/messages"),
    "/v1/messages/count_tokens": Served(DIALECTS["anthropic-messages"], ASIDE, "/messages/count_tokens"),
}
