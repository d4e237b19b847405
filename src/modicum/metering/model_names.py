"""How sellers write the names of models, and whether an entry of the price list is for a name.

The list finds many models by the beginning of a name, or by a part of it: `claude-haiku-4-5-20251001` is a
`claude-haiku-4-5`, and that is meant. But `gemini-3.6-flash-image` also begins with `gemini-3.6-flash`, and costs
something else. What follows must be a version: a date, a revision, a way of serving that changes no price.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from modicum.calls import Basis

_DATE = r"20\d{6}|20\d{2}-\d{2}-\d{2}|\d{2}-\d{2}-20\d{2}|20\d{2}-\d{2}|\d{2}-20\d{2}|\d{2}-\d{2}|\d{4}|00\d"
_VERSION = re.compile(
    rf"(?:^|[-@:_])(?:{_DATE}|v\d+(?:\.\d+)?(?::\d+)?(?::\d+k)?|v?\d:\d+k?|latest|default|preview|exp|maas|\d:\d|0)(?=$|[-@:_\[])"
    r"|\[1m\]"
)
_DATED_END, _ALIAS_END = re.compile(rf"[-@](?:{_DATE})$"), re.compile(r"[-@](?:latest|0)$")
_BEFORE = re.compile(r"(?:[a-z-]+/)?(?:(?:us|eu|apac|jp|au|ca|in|us-gov|global)\.)?(?:anthropic\.|openai\.)?")
_REGION = re.compile(r"(us|eu|apac|jp|au|ca|sa|in|me|af|mx|us-gov|global)\.")
_REGION_FOLDER = re.compile(r"(?:[a-z]{2}(?:-gov)?-[a-z]+-\d)/")
_ZONE = re.compile(r"(us|eu|apac|us-gov|global|global-standard)/")
"""Before the name of a deployment on Azure."""
_VERTEX = re.compile(r"(?:projects/.*/)?publishers/[^/]+/models/|models/")
_ROUTED = re.compile(r":(?:nitro|floor|exacto|online)$")
"""Endings by which OpenRouter chooses the cheapest or the fastest of its sellers, or adds a search."""
_MAKER = re.compile(r"[a-z0-9]+\.[a-z]")
_PREMIUM_MAKERS = ("anthropic.", "openai.")


class Spelling(NamedTuple):
    """A name to look for at a seller, and what it leaves open."""

    seller: str
    name: str
    basis: Basis = Basis.EXACT
    instead_of: str = ""
    """Another name of the same model, if an entry of its own is needed: only where the two have different prices is
    this spelling the surer one."""


def spellings(candidates: Iterable[tuple[str, str]]) -> Iterator[Spelling]:
    """The names under which the list may have what a call names, the surest first.

    Where a name does not say in which region it was served, the price without the surcharge of a region is the least
    that it can have cost. On Bedrock `global.anthropic...` has none; `us.anthropic...` and a plain `anthropic...`,
    which is served where it was called, have it; `claude-...` may be either.
    """
    for seller, name in candidates:
        if name.endswith(":free"):
            yield Spelling("openrouter", name)
            continue
        bare = _VERTEX.sub("", name, count=1)
        if seller == "aws":
            yield from _on_bedrock(bare)
        elif seller == "azure" and (zone := _ZONE.match(bare)):
            at_least = Basis.EXACT if zone[1].startswith("global") else Basis.LOWER_BOUND
            yield Spelling(seller, bare[zone.end() :], at_least)
        else:
            yield Spelling(seller, bare)
        if _ROUTED.search(name):
            yield Spelling("openrouter", _ROUTED.sub("", name), Basis.ESTIMATED)


def _on_bedrock(name: str) -> Iterator[Spelling]:
    folder = _REGION_FOLDER.match(name)
    rest = name[folder.end() :] if folder else name
    basis = Basis.ESTIMATED if folder else Basis.EXACT  # prices differ by region, and the list has one
    region = _REGION.match(rest)
    if region is None and not _MAKER.match(rest):  # no id of Bedrock's, which would be one of a region
        for maker in _PREMIUM_MAKERS:
            yield Spelling("aws", f"global.{maker}{rest}", basis | Basis.LOWER_BOUND, f"us.{maker}{rest}")
    yield Spelling("aws", rest, basis)
    if region is not None and region[1] not in {"us", "global"}:
        yield Spelling("aws", f"us.{rest[region.end() :]}", Basis.ESTIMATED)
    if region is not None:
        yield Spelling("aws", rest[region.end() :], Basis.ESTIMATED)


def undated(name: str) -> str:
    """A name without the date, `latest` or `-0` at its end: what an alias and the dated names of a model share."""
    return _ALIAS_END.sub("", _DATED_END.sub("", name))


def is_dated(name: str) -> bool:
    """Whether it ends with a date, so that it is no alias."""
    return bool(_DATED_END.search(name))


def is_named(match: Any, name: str) -> bool:
    """Whether one of the ways in which an entry matches a name leaves nothing of it but versions."""
    lowered = name.lower()
    return any(_is_version_of(clause, lowered) for clause in _matching(match, lowered))


def _matching(match: Any, name: str) -> Iterator[Any]:
    """The clauses at the ends that match the name. The list writes compact dates with hyphens before it gives up."""
    parts = getattr(match, "or_", None) or getattr(match, "and_", None)
    if parts is not None:
        for part in parts:
            yield from _matching(part, name)
    elif match.is_match(name) or match.is_match(_with_hyphens(name)):
        yield match


def _is_version_of(clause: Any, name: str) -> bool:
    (text,) = vars(clause).values()
    literal = text.lower()
    if hasattr(clause, "equals"):
        return True
    if hasattr(clause, "regex"):
        return not literal.startswith("^(?!")  # one that only forbids says nothing of what the name is
    if literal.startswith("ft:"):
        return True  # what follows is the customer's
    at = name.find(literal)
    return bool(_BEFORE.fullmatch(name[:at])) and is_version(name[at + len(literal) :])


def is_version(rest: str) -> bool:
    return not _VERSION.sub("", rest).strip("-@:")


def _with_hyphens(name: str) -> str:
    return re.sub(r"-(20\d{2})(\d{2})(\d{2})$", r"-\1-\2-\3", name)
