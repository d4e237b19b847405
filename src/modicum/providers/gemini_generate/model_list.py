"""Gemini's lists of models. Source: https://ai.google.dev/api/models."""

from collections.abc import Mapping, Sequence
from typing import Any

from modicum.providers.body_parsing import identifier
from modicum.providers.model_lists.shape import Json, ListedModel, ModelListShape

BEGINNING = "models/"


class GeminiModelList(ModelListShape):
    path = "/models?pageSize=1000"
    place = "models"

    def name(self, fields: Mapping[str, Any]) -> str:
        return identifier(fields.get("name")).removeprefix(BEGINNING)

    def one(self, name: str, like: ListedModel | None = None, provider: str = "") -> Json:  # noqa: ARG002 - it names neither
        methods = ["generateContent", "countTokens"]
        return {"name": BEGINNING + name, "displayName": name, "supportedGenerationMethods": methods}

    def renamed(self, name: str, model: ListedModel) -> Json:
        return {**model.fields, "name": BEGINNING + name, "displayName": name}

    def whole(self, models: Sequence[Json]) -> Json:
        return {"models": list(models)}


MODEL_LIST = GeminiModelList()
