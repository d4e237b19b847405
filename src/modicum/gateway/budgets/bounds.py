"""What bounds the tokens of a request, and in which lanes it may be served. Takes time: tokens are counted.

A bound may be too high, never too low as far as that is ours to say: of media, and of what a request only points at
(files, former responses), the model's whole context window is taken.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from modicum.calls import Tier
from modicum.gateway.budgets.part_counts import PartCounts
from modicum.governance.worst_case import CallBound
from modicum.metering.context_windows import context_window_tokens
from modicum.metering.tokens import encoding_for
from modicum.providers.body_parsing import parse_request_object
from modicum.providers.dialect import Dialect
from modicum.providers.facts import RequestFacts
from modicum.providers.message_blocks import may_show_media
from modicum.providers.unmetered.dialect import NAME_BEGINS

AROUND_TOKENS = 64
"""What a provider may put around a prompt."""
AROUND_TOOLS_TOKENS = 1_500
"""And where there are tools: Anthropic adds up to some hundred tokens of instructions, more for computer use."""
UNCERTAIN = 2
"""How many times our count a prompt may be where the model's tokenizer is not public."""

_POINTS_ELSEWHERE = frozenset(
    {"previous_response_id", "conversation", "cachedContent", "cached_content", "container", "fileData", "file_data"}
    | {"file_id", "file_url", "vector_store_ids", "item_reference"}
)
_MARKS = frozenset({"cache_control", "cachePoint", "cache_point"})
_MAKES_MEDIA = frozenset({"modalities", "audio", "responseModalities", "response_modalities"})
_OF_THE_CALLER = ("bash_", "text_editor_", "computer_", "memory_", "local_shell", "shell", "apply_patch")
"""How types of tools begin that the caller runs, beside plain functions."""
_MOST_TOKENS = re.compile(rb'"max_?(?:completion_|output_)?[Tt]okens"\s*:\s*(\d{1,12})')
_CHOICES = re.compile(rb'"(?:n|candidateCount|candidate_count)"\s*:\s*(\d{1,6})')
_OTHERWISE = 'make it with a key that no hard budget covers, or have the budget only alert (at_limit = "alert")'
_HOSTED_FIELDS = ("web_search_options", "mcp_servers")
"""What lets a provider run tools beside those of the list."""
_FUNCTIONS = frozenset({"functionDeclarations", "function_declarations"})


class NoBound(Exception):  # noqa: N818 - a property of a request, not a bug
    """Nothing bounds what the call may cost. The message says what to do."""


class RequestSurvey(NamedTuple):
    """What a request asks for, as far as its price depends on that."""

    bound: CallBound
    tiers: frozenset[Tier]
    in_us: bool
    """Whether it asks to be served in the US alone, which Anthropic charges for."""
    is_counted: bool = True
    """False: its input is bounded by its bytes, and counting would give fewer tokens."""


def check_bounded(dialect: Dialect, facts: RequestFacts) -> None:
    """Whether anything of a request bounds what it may cost.

    Raises:
        NoBound: nothing does.
    """
    if not dialect.bills_text:
        raise NoBound(f"{facts.model.removeprefix(NAME_BEGINS):.80}: {dialect.unbounded}; {_OTHERWISE}")


def survey_request(
    dialect: Dialect,
    body: bytes,
    facts: RequestFacts,
    model: str,
    provider: str,
    ceiling: int | None = None,
    counts: PartCounts | None = None,
    *,
    by_bytes: bool = False,
) -> RequestSurvey:
    """What a request may take at most, at a model.

    Args:
        dialect: of the request.
        body: as it was sent, in that dialect.
        facts: of the request.
        model: that would answer.
        provider: that serves it.
        ceiling: the most output of each choice, in place of its own.
        counts: of parts that came before; None: all is counted.
        by_bytes: takes every byte for a token, which costs no counting: no tokenizer makes more of them.

    Raises:
        NoBound: nothing bounds it.
        DialectError: it is not JSON.
    """
    document = parse_request_object(body)
    names, types = _names_and_types(document)
    may_have_media = not dialect.has_media_by_type or may_show_media(names, types)
    has_media = may_have_media and any(not block.is_text for block in dialect.blocks_of(document))
    window = context_window_tokens(model, provider)
    most = None if ceiling is None else ceiling * choices_of(dialect, body, facts)
    uses = _tool_uses(document)
    if has_media or uses or not names.isdisjoint(_POINTS_ELSEWHERE) or document.get("prompt").__class__ is dict:
        if window is None:
            raise NoBound("it holds or points at more than text, and nobody knows the model's context window")
        tokens, by_bytes = window, False
    else:
        counted = len(body) if by_bytes else _counted(document, body, model, counts or PartCounts())
        tokens = counted + AROUND_TOKENS + (AROUND_TOOLS_TOKENS if document.get("tools") else 0)
        tokens = tokens if window is None else min(tokens, window)
    return RequestSurvey(
        CallBound(
            tokens,
            _output_tokens(dialect, body, facts, window) if most is None else most,
            uses,
            may_cache=dialect.api.name != "anthropic" or not names.isdisjoint(_MARKS),
            has_media=has_media,
            makes_media=not names.isdisjoint(_MAKES_MEDIA),
        ),
        _tiers(document),
        "inference_geo" in document,
        not by_bytes,
    )


def _counted(document: Mapping[str, Any], body: bytes, model: str, counts: PartCounts) -> int:
    """Of the whole request as JSON: more than its texts, since whatever stands there may be shown to the model."""
    encoding, is_own = encoding_for(model)
    counted = counts.tokens(body, encoding)
    return counted if is_own else min(counted * UNCERTAIN, len(msgspec.json.encode(document)))


def _output_tokens(dialect: Dialect, body: bytes, facts: RequestFacts, window: int | None) -> int:
    """Of a field that comes twice one server takes the first, another the last: the largest counts."""
    if not dialect.generates:
        return 0
    most = facts.most_output_tokens if facts.most_output_tokens is not None else window
    if most is None:
        raise NoBound(
            "it has no max_tokens, and nobody knows how much the model may write: set max_tokens, or have the budget's "
            "owner set assume_max_tokens"
        )
    limits = _MOST_TOKENS.findall(body) if body.count(b'"max') > 1 else ()
    if len(limits) > 1:
        most = max(most, *(int(limit) for limit in limits))
    return most * choices_of(dialect, body, facts)


def choices_of(dialect: Dialect, body: bytes, facts: RequestFacts) -> int:
    """How many replies a request asks for at most."""
    counts: Sequence[bytes] = ()
    if (b'"n"' in body or b'"candidate' in body) and dialect.api.name != "anthropic":
        counts = _CHOICES.findall(body)
    return max(facts.choices_count, 1, *(map(int, counts) if len(counts) > 1 else ()))


def _tool_uses(document: Mapping[str, Any]) -> int:
    """How often the provider may run tools of its own for this call."""
    listed = document.get("tools")
    if not listed and document.keys().isdisjoint(_HOSTED_FIELDS):
        return 0
    tools = [tool for tool in listed if isinstance(tool, Mapping)] if isinstance(listed, list) else []
    hosted = [tool for tool in tools if _is_hosted(tool)]
    named = [str(tool.get("type") or next(iter(tool), "")) for tool in hosted]
    named += [name for name in _HOSTED_FIELDS if document.get(name) is not None]
    if not named:
        return 0
    in_all = _whole_number(document.get("max_tool_calls"))
    if in_all is not None:
        return in_all
    each = [_whole_number(tool.get("max_uses")) for tool in hosted]
    bounded = [uses for uses in each if uses is not None]
    if len(bounded) < len(named):
        raise NoBound(
            f"the provider may run '{named[0]:.40}' for it as often as it likes: set the tool's max_uses or "
            "max_tool_calls, or leave the tool out"
        )
    return sum(bounded)


def _is_hosted(tool: Mapping[str, Any]) -> bool:
    kind = tool.get("type")
    if kind is None:  # Anthropic's plain tools have a name; Gemini's have their declarations
        return "name" not in tool and not tool.keys() <= _FUNCTIONS
    return kind not in {"function", "custom"} and not str(kind).startswith(_OF_THE_CALLER)


def _whole_number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _tiers(document: Mapping[str, Any]) -> frozenset[Tier]:
    """Every lane in which it may be served. `auto`, and nothing said, leave it to the provider's account."""
    asked_for = document.get("service_tier", document.get("serviceTier"))
    tiers = {Tier.STANDARD}
    if document.get("speed") is not None:
        tiers.add(Tier.FAST)
    if asked_for in {None, "auto"} if isinstance(asked_for, str | None) else True:
        tiers.add(Tier.PRIORITY)
    elif asked_for != "standard_only":
        tiers |= {Tier.from_name(asked_for)} if Tier.is_known(asked_for) else {Tier.PRIORITY, Tier.FAST, Tier.FLEX}
    return frozenset(tiers)


def _names_and_types(document: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """The names of all fields, at whatever depth, and the texts that stand in those named `type`."""
    names: set[str] = set()
    types: set[str] = set()
    waiting: list[Any] = [document]
    for one in waiting:  # it grows meanwhile
        if one.__class__ is dict:
            names.update(one)
            kind = one.get("type")
            if kind.__class__ is str:
                types.add(kind)
            one = one.values()  # noqa: PLW2901 - what is within it is next
        for inner in one:
            if inner.__class__ is dict or inner.__class__ is list:
                waiting.append(inner)  # noqa: PERF401 - a comprehension is a call, for each value that holds others
    return names, types
