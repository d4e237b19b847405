"""The wire dialects by name: one for each folder. The first is the one in whose words unknown paths are refused."""

from modicum.providers.anthropic_messages.dialect import DIALECT as ANTHROPIC_MESSAGES
from modicum.providers.dialect import Dialect
from modicum.providers.gemini_generate.dialect import DIALECT as GEMINI_GENERATE
from modicum.providers.openai_chat.dialect import DIALECT as OPENAI_CHAT
from modicum.providers.openai_embeddings.dialect import DIALECT as OPENAI_EMBEDDINGS
from modicum.providers.openai_responses.dialect import DIALECT as OPENAI_RESPONSES
from modicum.providers.unmetered import UnmeteredPaths

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        OPENAI_CHAT,
        OPENAI_RESPONSES,
        OPENAI_EMBEDDINGS,
        ANTHROPIC_MESSAGES,
        GEMINI_GENERATE,
    )
}
for dialect in tuple(DIALECTS.values()):
    DIALECTS.setdefault(f"{dialect.api.name}-other", UnmeteredPaths(dialect))
