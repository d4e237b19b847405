"""Lists of models, read and written. The usual is OpenAI's: https://platform.openai.com/docs/api-reference/models."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from modicum.providers.body_parsing import UNREADABLE, identifier
from modicum.providers.fields import listed, mapping

MOST_MODELS = 5000

Json = dict[str, Any]


class ListedModel(NamedTuple):
    """One model of a list."""

    name: str
    fields: Mapping[str, Any]
    """As the list has it, in its own dialect."""
    created_s: int = 0
    """Seconds since 1970; 0: the list does not say it."""


class ModelListShape:
    """How one API writes them."""

    path = "/models"
    """Below an upstream's address, for as many as it gives at once."""
    place = "data"
    """Where in the document the models stand."""

    def read(self, body: bytes) -> list[ListedModel]:
        """The models of a list; nothing where it is none."""
        try:
            document = mapping(msgspec.json.decode(body))
        except UNREADABLE:
            return []
        models = map(mapping, listed(document.get(self.place))[:MOST_MODELS])
        return [ListedModel(name, fields, self.created_s(fields)) for fields in models if (name := self.name(fields))]

    def name(self, fields: Mapping[str, Any]) -> str:
        """What callers call the model."""
        return identifier(fields.get("id"))

    def created_s(self, fields: Mapping[str, Any]) -> int:
        created = fields.get("created")
        return created if isinstance(created, int) and not isinstance(created, bool) else 0

    def one(self, name: str, like: ListedModel | None = None, provider: str = "") -> Json:
        """One model under a name of ours, or of an API that writes them in another way."""
        created_s = like.created_s if like is not None else 0
        return {"id": name, "object": "model", "created": created_s, "owned_by": provider or "modicum"}

    def renamed(self, name: str, model: ListedModel) -> Json:
        """A model of this API's own list under another name."""
        return {**model.fields, "id": name}

    def whole(self, models: Sequence[Json]) -> Json:
        """The list."""
        return {"object": "list", "data": list(models)}


MODEL_LIST = ModelListShape()
