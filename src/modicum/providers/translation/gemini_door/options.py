"""Bounds, sampling, thinking, tools and the form of the answer, as Gemini's clients ask for them, for a chat request.

Source, 2026-11: https://ai.google.dev/api/generate-content.
"""

from collections.abc import Mapping
from typing import Any

from modicum.providers.fields import listed, mapping, text
from modicum.providers.translation.gemini_door.fields import Json, camel, field, schema_of
from modicum.providers.translation.openai_models import effort_for_budget
from modicum.providers.translation.translation import unsupported

UPSTREAM = "OpenAI chat"
MOST_STOP_SEQUENCES = 4
LEAST_BUDGET = 1024
"""Tokens of thinking, below which Claude takes no budget."""
_SAME = {
    "temperature": "temperature",
    "topP": "top_p",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
    "seed": "seed",
}
_HINTS = frozenset(
    {"mediaResolution", "routingConfig", "audioTimestamp", "enableEnhancedCivicAnswers", "responseLogprobs"}
)
_READ = frozenset(
    {"maxOutputTokens", "topK", "candidateCount", "stopSequences", "responseMimeType", "responseSchema"}
    | {"responseJsonSchema", "thinkingConfig", "responseModalities", *_SAME}
)
_MODES = {"AUTO": "auto", "VALIDATED": "auto", "MODE_UNSPECIFIED": "auto", "ANY": "required", "NONE": "none"}


def options(config: Mapping[str, Any], model: str, bound: str, left_out: list[str], *, on_the_way: bool) -> Json:
    """What a `generationConfig` asks for. `bound` and `on_the_way` as in `requests.request`.

    Raises:
        DialectError: something has no counterpart.
    """
    given = {name: value for name, value in camel(config).items() if value is not None}
    _check(given, left_out)
    wire: Json = {name: given[theirs] for theirs, name in _SAME.items() if theirs in given}
    if "maxOutputTokens" in given:
        wire[bound] = given["maxOutputTokens"]
    if "topK" in given and not on_the_way:
        left_out.append("topK")
    elif "topK" in given:
        wire["top_k"] = int(given["topK"])
    if given.get("candidateCount", 1) != 1:
        wire["n"] = given["candidateCount"]
    if stops := listed(given.get("stopSequences")):
        if len(stops) > MOST_STOP_SEQUENCES and not on_the_way:
            raise unsupported(f"it takes at most {MOST_STOP_SEQUENCES} 'stopSequences'", UPSTREAM)
        wire["stop"] = stops
    thinking = camel(mapping(given.get("thinkingConfig")))
    return wire | _answer_form(given) | _thinking(thinking, model, left_out, on_the_way)


def _check(given: Mapping[str, Any], left_out: list[str]) -> None:
    for name, value in given.items():
        if name in _HINTS:
            left_out.append(name)
        elif name not in _READ and value:
            raise unsupported(f"'generationConfig.{name[:60]}' has no counterpart there", UPSTREAM)
    if given.get("responseModalities") not in (None, [], ["TEXT"], ["Text"]):
        raise unsupported("'responseModalities' other than TEXT have no counterpart there", UPSTREAM)


def _answer_form(given: Mapping[str, Any]) -> Json:
    schema = schema_of(given, "responseSchema", "responseJsonSchema")
    kind = text(given.get("responseMimeType")) or ("application/json" if schema else "text/plain")
    if kind == "text/plain":
        return {}
    if kind != "application/json":
        raise unsupported(f"answers of type '{kind[:60]}' have no counterpart there", UPSTREAM)
    if schema is None:
        return {"response_format": {"type": "json_object"}}
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}}


def _thinking(config: Mapping[str, Any], model: str, left_out: list[str], on_the_way: bool) -> Json:
    """A level is an effort; a number of tokens is Claude's budget, or the effort that stands for it."""
    budget, level = config.get("thinkingBudget"), text(config.get("thinkingLevel")).lower()
    if isinstance(budget, int) and budget > 0:
        enabled = {"type": "enabled", "budget_tokens": max(budget, LEAST_BUDGET)}
        if on_the_way:
            return {"thinking": enabled}
        if effort := effort_for_budget(enabled, model):
            return {"reasoning_effort": effort}
    elif level in {"minimal", "low", "medium", "high"}:
        if on_the_way or effort_for_budget({"type": "enabled", "budget_tokens": LEAST_BUDGET}, model):
            return {"reasoning_effort": level}
    elif budget == 0:
        if on_the_way:
            return {"thinking": {"type": "disabled"}}
    else:  # nothing, or as the model thinks fit
        return {}
    left_out.append("thinkingConfig")
    return {}


def tools(request: Mapping[str, Any], left_out: list[str]) -> Json:
    """`tools` and `tool_choice`, and the search of the provider.

    Raises:
        DialectError: Google itself would run one of the tools.
    """
    wire: Json = {}
    functions: list[Json] = []
    for tool in map(camel, map(mapping, listed(request.get("tools")))):
        functions += map(_function, map(mapping, listed(tool.pop("functionDeclarations", None))))
        for name in tool:
            if name not in {"googleSearch", "googleSearchRetrieval"}:
                raise unsupported(f"the tool '{name[:60]}' is run by Google", UPSTREAM)
            wire["web_search_options"] = {}
    if not functions:
        return wire
    wire["tools"] = functions
    calling = camel(mapping(field(mapping(field(request, "toolConfig")), "functionCallingConfig")))
    mode, allowed = text(calling.get("mode")) or "AUTO", listed(calling.get("allowedFunctionNames"))
    if mode not in _MODES:
        raise unsupported(f"the calling mode '{mode[:60]}' has no counterpart there", UPSTREAM)
    if mode == "ANY" and len(allowed) == 1:
        wire["tool_choice"] = {"type": "function", "function": {"name": allowed[0]}}
    elif mode in {"ANY", "VALIDATED"} and allowed:
        named = [{"type": "function", "function": {"name": name}} for name in allowed]
        wire["tool_choice"] = {"type": "allowed_tools", "allowed_tools": {"mode": _MODES[mode], "tools": named}}
    elif calling:
        wire["tool_choice"] = _MODES[mode]
    if any(
        field(mapping(function), "response")
        for tool in listed(request.get("tools"))
        for function in listed(field(mapping(tool), "functionDeclarations"))
    ):
        left_out.append("functionDeclarations.response")
    return wire


def _function(declared: Mapping[str, Any]) -> Json:
    function: Json = {"name": text(declared.get("name"))}
    if described := text(declared.get("description")):
        function["description"] = described
    if schema := schema_of(declared, "parameters", "parametersJsonSchema"):
        function["parameters"] = schema
    return {"type": "function", "function": function}
