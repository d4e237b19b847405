"""Anthropic's lists of models. Source: https://docs.claude.com/en/api/models-list."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from modicum.providers.fields import text
from modicum.providers.model_lists.shape import Json, ListedModel, ModelListShape


class AnthropicModelList(ModelListShape):
    path = "/models?limit=1000"

    def created_s(self, fields: Mapping[str, Any]) -> int:
        try:
            return int(datetime.fromisoformat(text(fields.get("created_at"))).timestamp())
        except (ValueError, OverflowError):
            return 0

    def one(self, name: str, like: ListedModel | None = None, provider: str = "") -> Json:  # noqa: ARG002 - it names none
        created = datetime.fromtimestamp(like.created_s if like is not None else 0, UTC)
        return {
            "type": "model",
            "id": name,
            "display_name": name,
            "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def whole(self, models: Sequence[Json]) -> Json:
        ends = {"first_id": models[0]["id"], "last_id": models[-1]["id"]} if models else {}
        return {"data": list(models), "has_more": False, "first_id": None, "last_id": None, **ends}


MODEL_LIST = AnthropicModelList()
