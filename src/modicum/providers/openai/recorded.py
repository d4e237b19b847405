"""Replies of OpenAI and its kin as somebody recorded them: streams joined, and who served them."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from modicum.calls import ChargedUnit
from modicum.calls.provider_names import provider_of_host, provider_of_own_model, region_of_host
from modicum.providers.fields import listed, mapping, text

CHARGED_ITEMS = {
    "file_search_call": ChargedUnit.FILE_SEARCH.value,
    "code_interpreter_call": "code_interpreter_call",
    "image_generation_call": "image_generation_call",
}
"""Items in the output of the responses API that have a fee. Those that are no `ChargedUnit` have one that the list
lacks: a session of a container, the tokens of another model."""
_NOT_SEARCHED = frozenset({"open_page", "find_in_page"})


def requests_in(response: Mapping[str, Any]) -> dict[str, int]:
    """What the provider ran for a response and charges by the piece.

    Its own count of searches stands, where it gives one; else every item that searched. Opening a page is no search.
    Source: https://platform.openai.com/docs/guides/tools-web-search.
    """
    counted = dict[str, int]()
    searches = 0
    for item in map(mapping, listed(response.get("output"))):
        kind = text(item.get("type"))
        if kind == "web_search_call":
            searches += text(mapping(item.get("action")).get("type")) not in _NOT_SEARCHED
        elif unit := CHARGED_ITEMS.get(kind):
            counted[unit] = counted.get(unit, 0) + 1
    given = mapping(mapping(response.get("tool_usage")).get("web_search")).get("num_requests")
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= MOST_REQUESTS:
        searches = given
    return counted | {ChargedUnit.WEB_SEARCH.value: searches}


MOST_REQUESTS = 100_000


def finish_reason_from(response: Mapping[str, Any]) -> str:
    """`stop`, `length`, `tool_calls`, ... (chat), or the status and why it is incomplete (responses)."""
    for choice in listed(response.get("choices")):
        return text(mapping(choice).get("finish_reason"))
    why = text(mapping(response.get("incomplete_details")).get("reason"))
    return why or text(response.get("status"))


def provider_of(url: str, model: str, response: Mapping[str, Any]) -> str:
    """Who served and bills a call, by host, by the marks in the reply, by model name; empty where nothing tells."""
    if provider := provider_of_host(_host(url)):
        return provider
    if text(response.get("id")).startswith("gen-"):
        return "openrouter"
    if "x_groq" in response:
        return "groq"
    if "prompt_filter_results" in response:
        return "azure"
    return provider_of_own_model(model)


def region_of(url: str) -> str:
    """Where the host of a call serves, if its name says so."""
    return region_of_host(_host(url))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


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
