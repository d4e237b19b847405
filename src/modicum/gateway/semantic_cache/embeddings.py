"""Vectors of texts: from an endpoint that the owner named, in OpenAI's form, or from a model in this process."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
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
    from modicum.optimizers.meaning.sentence_model import SentenceModel

TIMEOUT_S = 2.0
"""What takes longer costs more than it saves: the call is made."""


class SentenceVectors:
    """Asks a model in this process, in a thread of its own, for one vector at a time. The model is loaded when it is
    first asked: 90 MB.
    """

    def __init__(self, settings: SemanticCacheSettings) -> None:
        self._folder = Path(settings.embeddings_folder).expanduser()
        self._model: SentenceModel | None = None
        self._thread = ThreadPoolExecutor(1, "sentence-vectors")

    async def vector_of(self, text: str) -> "Vector | None":
        """At length 1; None: not in time, because too many ask.

        Raises:
            UserError: the files in the folder are of no such model.
        """
        answer = asyncio.wrap_future(self._thread.submit(self._vector_of, text))
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await answer
        except TimeoutError:
            return None

    def _vector_of(self, text: str) -> "Vector":
        from modicum.optimizers.meaning.sentence_model import SentenceModel

        if self._model is None:
            self._model = SentenceModel(self._folder)
        vector: Vector = self._model.vectors([text])[0]
        return vector


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
