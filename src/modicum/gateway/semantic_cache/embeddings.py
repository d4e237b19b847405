"""Vectors of texts from an endpoint that the owner named, in OpenAI's form."""

import asyncio
from typing import TYPE_CHECKING

import msgspec

from modicum.calls import UserError
from modicum.outbound.client import Outbound
from modicum.outbound.hosts import AllowedHosts
from modicum.outbound.unreachable import Unreachable
from modicum.settings.reply_cache import SemanticCacheSettings
from modicum.settings.secret import secret_at

if TYPE_CHECKING:
    from modicum.gateway.semantic_cache.text_vectors import Vector

TIMEOUT_S = 2.0
"""What takes longer costs more than it saves: the call is made."""


class _Row(msgspec.Struct):
    embedding: list[float]


class _Rows(msgspec.Struct):
    data: list[_Row]


class EmbeddingEndpoint:
    """Asks for one vector at a time."""

    def __init__(self, settings: SemanticCacheSettings) -> None:
        self._settings, self._headers = settings, {"content-type": "application/json"}
        self._outbound = Outbound(AllowedHosts([settings.embeddings_url]), timeout_s=TIMEOUT_S)

    async def vector_of(self, text: str) -> "Vector | None":
        """At length 1; None: the endpoint gives none, or not in time."""
        settings, headers = self._settings, self._headers
        try:
            if settings.embeddings_key and "authorization" not in headers:
                key = secret_at("semantic_cache.embeddings_key", settings.embeddings_key)
                headers["authorization"] = f"Bearer {key}"
            body = msgspec.json.encode({"model": settings.embeddings_model, "input": text})
            async with asyncio.timeout(TIMEOUT_S):
                reply = await self._outbound.post(settings.embeddings_url, body, headers)
            rows = msgspec.json.decode(reply, type=_Rows).data
        except (TimeoutError, Unreachable, UserError, msgspec.MsgspecError):
            return None
        from modicum.gateway.semantic_cache.text_vectors import unit_vector  # it loads numpy

        return unit_vector(rows[0].embedding) if len(rows) == 1 else None
