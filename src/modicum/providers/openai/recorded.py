"""Replies of OpenAI and its kin as somebody recorded them: streams joined, and who served them."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from modicum.calls.provider_names import provider_of_host, provider_of_own_model
from modicum.providers.fields import listed, mapping, text


def web_searches_from(response: Mapping[str, Any]) -> int:
    """Searches that the provider ran, each an item in the output of the responses API."""
    return sum(mapping(item).get("type") == "web_search_call" for item in listed(response.get("output")))


def finish_reason_from(response: Mapping[str, Any]) -> str:
    """`stop`, `length`, `tool_calls`, ... (chat), or the status and why it is incomplete (responses)."""
    for choice in listed(response.get("choices")):
        return text(mapping(choice).get("finish_reason"))
    why = text(mapping(response.get("incomplete_details")).get("reason"))
    return why or text(response.get("status"))


def provider_of(url: str, model: str, response: Mapping[str, Any]) -> str:
    """Who served and bills a call, by host, by the marks in the reply, by model name; empty where nothing tells."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    if provider := provider_of_host(host):
        return provider
    if text(response.get("id")).startswith("gen-"):
        return "openrouter"
    if "x_groq" in response:
        return "groq"
    if "prompt_filter_results" in response:
        return "azure"
    return provider_of_own_model(model)


def joined(events: Iterable[Any]) -> Mapping[str, Any]:
    """A streamed reply as the body that it would have been, without its content.

    Chat chunks repeat id and model, and the last one holds the usage if it was asked for; the responses API ends with
    an event that holds the whole body.
    """
    body: dict[str, Any] = {}
    for event in events:
        chunk = mapping(event)
        if isinstance(chunk.get("response"), Mapping):
            body.update(chunk["response"])
            continue
        for name in ("id", "object", "created", "model", "service_tier", "usage", "x_groq", "error"):
            if chunk.get(name) is not None:
                body[name] = chunk[name]
        if any(mapping(choice).get("finish_reason") for choice in listed(chunk.get("choices"))):
            body["choices"] = chunk["choices"]
    if body.get("object") == "chat.completion.chunk":
        body["object"] = "chat.completion"
    return body
