"""Bounds, sampling, thinking and the form of the answer, as Gemini's `generationConfig`.

Gemini 2.5 takes a number of tokens for its thoughts, Gemini 3 a level; what an effort stands for is as Google's own
OpenAI endpoint has it. Source, 2026-11: https://ai.google.dev/gemini-api/docs/openai,
https://ai.google.dev/gemini-api/docs/thinking.
"""

import re
from typing import Any

from modicum.providers.fields import mapping
from modicum.providers.translation import openai_shapes as chat

_HAS_LEVELS = re.compile(r"gemini-(?:[3-9]|\d\d)")
BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576}
LEVELS = {"none": "minimal", "minimal": "minimal", "low": "low", "medium": "medium", "high": "high"} | {
    "xhigh": "high",
    "max": "high",
}
MOST_STOPS = 5

Json = dict[str, Any]


def generation_config(source: chat.ChatRequest, model: str, left_out: list[str]) -> Json:
    """The configuration; empty where the request leaves all as it is."""
    stops = [source.stop] if isinstance(source.stop, str) else source.stop
    config: Json = {
        "maxOutputTokens": source.max_completion_tokens or source.max_tokens,
        "temperature": source.temperature,
        "topP": source.top_p,
        "topK": source.top_k,
        "stopSequences": stops or None,
        "candidateCount": source.n if source.n != 1 else None,
        "seed": source.seed if isinstance(source.seed, int) else None,
        "presencePenalty": source.presence_penalty or None,
        "frequencyPenalty": source.frequency_penalty or None,
    }
    config = {name: value for name, value in config.items() if value is not None}
    if thinking := _thinking(source, model, left_out):
        config["thinkingConfig"] = thinking
    return config | _answer_form(source)


def _answer_form(source: chat.ChatRequest) -> Json:
    form = source.response_format
    if form is None or form.type == "text":
        return {}
    wire: Json = {"responseMimeType": "application/json"}
    if form.json_schema is not None and form.json_schema.schema is not None:
        wire["responseJsonSchema"] = form.json_schema.schema
    return wire


def _thinking(source: chat.ChatRequest, model: str, left_out: list[str]) -> Json:
    thinking, effort = source.thinking or {}, source.reasoning_effort
    budget = mapping(thinking).get("budget_tokens")
    if thinking.get("type") == "disabled":
        effort = effort or "none"
    if _HAS_LEVELS.search(model):
        if effort is None and isinstance(budget, int):
            left_out.append("thinking.budget_tokens")
            effort = next((name for name in ("low", "medium") if budget <= BUDGETS[name]), "high")
        config: Json = {"thinkingLevel": LEVELS[effort]} if effort else {}
    elif isinstance(budget, int):
        config = {"thinkingBudget": budget}
    else:
        config = {"thinkingBudget": BUDGETS[effort]} if effort else {}
    if thinking.get("type") in {"enabled", "adaptive"}:
        config["includeThoughts"] = True
    return config
