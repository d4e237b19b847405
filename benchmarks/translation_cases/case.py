"""One request of a client, and how to see that it arrived."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

CHAT, MESSAGES, RESPONSES, GEMINI = "openai-chat", "anthropic-messages", "openai-responses", "gemini-generate"
MODELS = {CHAT: "gpt-5.2", MESSAGES: "claude-opus-4-6", GEMINI: "gemini-2.5-pro"}
"""Which model a case is sent to, by the upstream's dialect."""

Json = dict[str, Any]


class Case(NamedTuple):
    name: str
    door: str
    upstream: str
    client: str
    """Who sends such a request, or which page documents it."""
    request: Json
    arrives: tuple[Any, ...]
    """Pieces of the upstream's request. An object may hold more than its piece says, wherever in the request it
    stands, a word may stand in a longer text, and of a tuple one piece will do."""
    lacks: tuple[str, ...] = ()
    """Names of fields that the upstream would refuse."""
    model: str = ""
    """Another model than the usual one of the upstream."""
    rightly_refused: bool = False
    """The meaning would change: to refuse it is the right answer, and to serve it is not."""

    @property
    def upstream_model(self) -> str:
        return self.model or MODELS[self.upstream]


def missing_pieces(case: Case, arrived: Any) -> list[str]:
    """What of a case is not in the request that arrived, or should not be."""
    if case.upstream == GEMINI:
        arrived = _camel(arrived)
    lost = [str(piece) for piece in case.arrives if not _arrived(piece, arrived)]
    names = {name for place in _places(arrived) if isinstance(place, Mapping) for name in place}
    return lost + [f"{name} should not be there" for name in case.lacks if name in names]


def _arrived(piece: Any, request: Any) -> bool:
    if isinstance(piece, tuple):
        return any(_arrived(one, request) for one in piece)
    return any(_holds(place, piece) for place in _places(request))


def _camel(document: Any) -> Any:
    """Google's JSON takes names of fields in both spellings."""
    if isinstance(document, list):
        return [_camel(item) for item in document]
    if not isinstance(document, Mapping):
        return document
    return {_UNDERLINE.sub(lambda found: found[1].upper(), name): _camel(value) for name, value in document.items()}


_UNDERLINE = re.compile(r"_([a-z])")


def _places(document: Any) -> Iterator[Any]:
    yield document
    inner = document.values() if isinstance(document, Mapping) else document if isinstance(document, list) else ()
    for value in inner:
        yield from _places(value)


def _holds(place: Any, piece: Any) -> bool:
    if isinstance(piece, Mapping):
        return isinstance(place, Mapping) and all(
            name in place and _holds(place[name], value) for name, value in piece.items()
        )
    if isinstance(piece, list):
        return isinstance(place, list) and all(any(_holds(item, part) for item in place) for part in piece)
    if isinstance(piece, str) and isinstance(place, str):
        return piece in place
    return bool(place == piece) and isinstance(place, bool) == isinstance(piece, bool)
