"""Thinking, effort, forms of the answer and sampling of a chat request, as the Claude model that is asked takes them.

What a model of that name refuses is said in the way that it does take, or left out and named. Sources, 2026-11:
https://platform.claude.com/docs/en/build-with-claude/extended-thinking, .../effort, .../structured-outputs.
"""

from typing import Any

from modicum.providers.fields import mapping
from modicum.providers.translation import openai_shapes as chat
from modicum.providers.translation.claude_models import ClaudeModel, claude_model
from modicum.providers.translation.schemas import schema_for_claude
from modicum.providers.translation.translation import unsupported

UPSTREAM = "Anthropic messages"

DEFAULT_OUTPUT_TOKENS = 8192
"""The API wants a bound on the reply; a caller who gives none gets this one, and is told."""

ANSWER_TOOL = "json_answer"
"""The tool by which a model without structured outputs answers under a schema; its input is the answer."""

EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768, "max": 32768}
LEAST_BUDGET = 1024
_JSON_IN_WORDS = "Answer with one JSON object and nothing else: no words around it and no code fence."

Json = dict[str, Any]


def output_and_sampling(source: chat.ChatRequest, wire: Json, left_out: list[str]) -> None:
    """Adds them to the request. What is left out is named."""
    model = claude_model(wire["model"])
    _answer_form(source, wire, model, left_out)
    _thinking(source, wire, model, left_out)
    _sampling(source, wire, model, left_out)


def _answer_form(source: chat.ChatRequest, wire: Json, model: ClaudeModel, left_out: list[str]) -> None:
    form = source.response_format
    if form is None or form.type == "text":
        return
    schema = form.json_schema.schema if form.json_schema else None
    if form.type == "json_object" or (form.type == "json_schema" and schema is None):
        wire["system"] = [*wire.get("system", ()), {"type": "text", "text": _JSON_IN_WORDS}]
        left_out.append(f"response_format {form.type} is asked for in words")
    elif form.type != "json_schema" or schema is None:
        raise unsupported(f"'response_format' of type {form.type:.40} has no counterpart there", UPSTREAM)
    elif model.takes_schema:
        wire["output_config"] = {"format": {"type": "json_schema", "schema": schema_for_claude(schema, left_out)}}
    else:
        tools = wire.setdefault("tools", [])
        tools.append({"name": ANSWER_TOOL, "description": "Gives the answer.", "input_schema": schema})
        only = len(tools) == 1
        wire["tool_choice"] = {"type": "tool", "name": ANSWER_TOOL} if only else {"type": "any"}
        left_out.append(f"response_format is asked for by the tool {ANSWER_TOOL}")


def _thinking(source: chat.ChatRequest, wire: Json, model: ClaudeModel, left_out: list[str]) -> None:
    thinking = source.thinking or {}
    kind, effort = thinking.get("type"), source.reasoning_effort
    if kind == "enabled" and not model.takes_budget and model.takes_adaptive:
        thinking = {"type": "adaptive"}
        effort = effort or _effort_of(source.thinking)
        left_out.append("thinking.budget_tokens")
    elif kind == "adaptive" and not model.takes_adaptive:
        thinking = {"type": "enabled", "budget_tokens": BUDGETS["medium"]} if model.takes_budget else {}
    if effort == "none":
        thinking = {"type": "disabled"}
    elif effort and model.takes_effort:
        wire["output_config"] = {"effort": EFFORTS[effort], **wire.get("output_config", {})}
    elif effort and not thinking and model.takes_budget:
        thinking = {"type": "enabled", "budget_tokens": BUDGETS[effort]}
        left_out.append("reasoning_effort is asked for as a thinking budget")
    elif effort:
        left_out.append("reasoning_effort")
    if thinking := _fitting(thinking, source, wire, left_out):
        wire["thinking"] = thinking


def _fitting(thinking: Json, source: chat.ChatRequest, wire: Json, left_out: list[str]) -> Json:
    """Thinking as far as the rest of the request lets the API take it."""
    if thinking.get("type") not in {"enabled", "adaptive"}:
        return thinking
    if why_not := _no_thinking(source, wire):
        left_out.append(f"thinking, {why_not}")
        return {}
    within = _within_bound(thinking, source, wire) if thinking["type"] == "enabled" else thinking
    if within is None:
        left_out.append("thinking, its least budget is above the bound of the reply")
    return within or {}


def _effort_of(thinking: Json | None) -> Any:
    """The effort that a budget stands for."""
    budget = mapping(thinking).get("budget_tokens")
    if not isinstance(budget, int):
        return None
    return next((effort for effort in ("low", "medium") if budget <= BUDGETS[effort]), "high")


def _within_bound(thinking: Json, source: chat.ChatRequest, wire: Json) -> Json | None:
    """The thinking with a budget that leaves room for the reply; None: there is none."""
    budget = thinking.get("budget_tokens")
    if not isinstance(budget, int):
        return thinking
    if source.max_completion_tokens is None and source.max_tokens is None:
        wire["max_tokens"] = budget + DEFAULT_OUTPUT_TOKENS
        return thinking
    budget = min(budget, wire["max_tokens"] - 1)
    return {**thinking, "budget_tokens": budget} if budget >= LEAST_BUDGET else None


def _no_thinking(source: chat.ChatRequest, wire: Json) -> str:
    """Why the API would refuse thinking with the rest of the request; empty: it would not."""
    if mapping(wire.get("tool_choice")).get("type") in {"tool", "any"}:
        return "it does not go with a forced tool"
    turn = [message for message in source.messages if not isinstance(message, chat.ChatSystemMessage)]
    while turn and isinstance(turn[-1], chat.ChatToolMessage):
        turn.pop()
        last = turn[-1] if turn else None
        if isinstance(last, chat.ChatAssistantMessage) and last.tool_calls and not last.thinking_blocks:
            return "the turn that goes on has none"
    return ""


def _sampling(source: chat.ChatRequest, wire: Json, model: ClaudeModel, left_out: list[str]) -> None:
    thinks = mapping(wire.get("thinking")).get("type") in {"enabled", "adaptive"}
    temperature, top_p, top_k = source.temperature, source.top_p, source.top_k
    if temperature is not None and temperature > 1:
        left_out.append(f"temperature {temperature:g} is 1 there")
        temperature = 1.0
    if not model.takes_sampling or thinks:
        if temperature not in {None, 1.0}:
            left_out.append("temperature")
        temperature = None
        if top_k is not None:
            left_out.append("top_k")
        top_k = None
        if top_p not in {None, 1.0}:
            left_out.append("top_p")
        top_p = None
    if temperature is not None and top_p is not None and not model.takes_temperature_with_top_p:
        left_out.append("top_p")
        top_p = None
    for name, value in (("temperature", temperature), ("top_p", top_p), ("top_k", top_k)):
        if value is not None:
            wire[name] = value
