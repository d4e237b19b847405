"""The wire dialects by name."""

from modicum.providers import (
    anthropic_messages,
    gemini_generate,
    openai_chat,
    openai_embeddings,
    openai_responses,
)
from modicum.providers.dialect import Dialect

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        openai_chat.DIALECT,
        openai_responses.DIALECT,
        openai_embeddings.DIALECT,
        anthropic_messages.DIALECT,
        gemini_generate.DIALECT,
    )
}
