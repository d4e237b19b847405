"""Converse's own of the mock provider."""

from collections.abc import Iterator, Mapping
from typing import Any

from modicum.providers.fields import listed, mapping, text
from modicum.providers.mock_rules import MockRules


class ConverseMock(MockRules):
    def tools(self, request: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for tool in map(mapping, listed(mapping(request.get("toolConfig")).get("tools"))):
            spec = mapping(tool.get("toolSpec"))
            if name := text(spec.get("name")):
                yield name, mapping(mapping(spec.get("inputSchema")).get("json"))

    def forces_tool(self, request: Mapping[str, Any]) -> bool:
        choice = mapping(mapping(request.get("toolConfig")).get("toolChoice"))
        return "any" in choice or "tool" in choice

    def chosen_tool(self, request: Mapping[str, Any]) -> str:
        choice = mapping(mapping(request.get("toolConfig")).get("toolChoice"))
        return text(mapping(choice.get("tool")).get("name"))


MOCK = ConverseMock()
