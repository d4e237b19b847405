"""Gemini's own of the mock provider: https://ai.google.dev/api/models, https://ai.google.dev/api/tokens"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from modicum.providers.fields import listed, mapping, text
from modicum.providers.mock_rules import Json, MockRules

_SCHEMAS = ("parameters", "parametersJsonSchema", "parameters_json_schema")
"""Google's own client writes the last one in the other spelling, which Google's JSON takes too."""


class GeminiMock(MockRules):
    def tools(self, request: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for tool in map(mapping, listed(request.get("tools"))):
            for function in map(mapping, listed(tool.get("functionDeclarations"))):
                if name := text(function.get("name")):
                    yield name, next((mapping(function[field]) for field in _SCHEMAS if function.get(field)), {})

    def forces_tool(self, request: Mapping[str, Any]) -> bool:
        config = mapping(mapping(request.get("toolConfig")).get("functionCallingConfig"))
        return config.get("mode") == "ANY"

    def chosen_tool(self, request: Mapping[str, Any]) -> str:
        config = mapping(mapping(request.get("toolConfig")).get("functionCallingConfig"))
        names = listed(config.get("allowedFunctionNames"))
        return text(names[0]) if names else ""

    def count(self, tokens: int) -> Json:
        return {"totalTokens": tokens}

    def models(self, names: Iterable[str], created: int) -> Json:  # noqa: ARG002 - the list tells no time
        return {"models": [{"name": f"models/{name}", "displayName": name} for name in names]}


MOCK = GeminiMock()
