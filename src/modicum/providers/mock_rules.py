"""What is special about a dialect's mock provider beyond the shape of its replies. The usual is what OpenAI does."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from modicum.calls import Usage
from modicum.providers.fields import listed, mapping, text

Json = dict[str, Any]


class MockRules:
    bound_missing = ""
    """The error for a request without a bound on its reply, where the API wants one."""

    def prompt(self, total_tokens: int, cached: Callable[[], int], body: bytes) -> Usage:  # noqa: ARG002 - cached unasked
        """The input buckets of a prompt. `cached` remembers it, and says how many leading tokens were seen before."""
        read = cached()
        return Usage(input_uncached=total_tokens - read, cache_read=read)

    def tools(self, request: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Name and schema of each function that a request offers."""
        for tool in map(mapping, listed(request.get("tools"))):
            function = mapping(tool.get("function")) or tool
            if name := text(function.get("name")):
                yield name, mapping(function.get("parameters") or function.get("input_schema"))

    def forces_tool(self, request: Mapping[str, Any]) -> bool:
        """Whether the reply must be a call of a tool."""
        choice = request.get("tool_choice")
        return choice == "required" or text(mapping(choice).get("type")) in {"any", "tool", "function"}

    def chosen_tool(self, request: Mapping[str, Any]) -> str:
        """The one tool that the reply must call; empty: any, or none."""
        choice = mapping(request.get("tool_choice"))
        return text(choice.get("name")) or text(mapping(choice.get("function")).get("name"))

    def count(self, tokens: int) -> Json:
        """The reply to a request to count a prompt's tokens."""
        return {"input_tokens": tokens}

    def models(self, names: Iterable[str], created: int) -> Json:
        """The list of models."""
        owned = [{"id": name, "object": "model", "created": created, "owned_by": "modicum-mock"} for name in names]
        return {"object": "list", "data": owned}
