"""The wire dialects by name: one for each folder, and for each API one of all paths that nobody meters. The first is
the one in whose words unknown paths are refused.
"""

from modicum.providers.anthropic_messages.dialect import DIALECT as ANTHROPIC_MESSAGES
from modicum.providers.batches.anthropic import AnthropicBatches
from modicum.providers.batches.dialect import BatchPaths
from modicum.providers.batches.gemini import GeminiBatches
from modicum.providers.batches.openai import OpenAIBatches
from modicum.providers.bedrock_converse.dialect import DIALECT as BEDROCK_CONVERSE
from modicum.providers.bedrock_invoke.dialect import BedrockInvoke
from modicum.providers.dialect import Dialect
from modicum.providers.gemini_embeddings.dialect import DIALECT as GEMINI_EMBEDDINGS
from modicum.providers.gemini_generate.dialect import DIALECT as GEMINI_GENERATE
from modicum.providers.openai_chat.dialect import DIALECT as OPENAI_CHAT
from modicum.providers.openai_embeddings.dialect import DIALECT as OPENAI_EMBEDDINGS
from modicum.providers.openai_images.dialect import DIALECT as OPENAI_IMAGES
from modicum.providers.openai_moderations.dialect import DIALECT as OPENAI_MODERATIONS
from modicum.providers.openai_realtime.dialect import DIALECT as OPENAI_REALTIME
from modicum.providers.openai_responses.dialect import DIALECT as OPENAI_RESPONSES
from modicum.providers.openai_speech.dialect import DIALECT as OPENAI_SPEECH
from modicum.providers.openai_text.dialect import DIALECT as OPENAI_TEXT
from modicum.providers.openai_transcriptions.dialect import DIALECT as OPENAI_TRANSCRIPTIONS
from modicum.providers.rerank.dialect import DIALECT as RERANK
from modicum.providers.unmetered.dialect import UnmeteredPaths
from modicum.providers.vertex_claude.dialect import VertexClaude

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        OPENAI_CHAT,
        OPENAI_RESPONSES,
        OPENAI_EMBEDDINGS,
        ANTHROPIC_MESSAGES,
        GEMINI_GENERATE,
        OPENAI_TEXT,
        OPENAI_IMAGES,
        OPENAI_TRANSCRIPTIONS,
        OPENAI_SPEECH,
        OPENAI_MODERATIONS,
        OPENAI_REALTIME,
        RERANK,
        GEMINI_EMBEDDINGS,
    )
}
DIALECTS |= {
    hosted.name: hosted
    for hosted in (BedrockInvoke(ANTHROPIC_MESSAGES), BEDROCK_CONVERSE, VertexClaude(ANTHROPIC_MESSAGES))
}
DIALECTS |= {
    batches.name: batches
    for batches in (
        BatchPaths(OPENAI_CHAT, OpenAIBatches()),
        BatchPaths(ANTHROPIC_MESSAGES, AnthropicBatches()),
        BatchPaths(GEMINI_GENERATE, GeminiBatches()),
    )
}
for dialect in tuple(DIALECTS.values()):
    DIALECTS.setdefault(f"{dialect.api.name}-other", UnmeteredPaths(dialect))
