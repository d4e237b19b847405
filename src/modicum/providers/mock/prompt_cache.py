"""The mock provider's prompt cache: which leading part of a prompt was seen before, by the providers' rules.

OpenAI and Gemini cache by themselves, from 1,024 tokens on, OpenAI in steps of 128. Anthropic caches where the request
sets breakpoints, and bills what is written. Times to live are not played: what was seen stays seen. Sources:
https://platform.openai.com/docs/guides/prompt-caching, https://ai.google.dev/gemini-api/docs/caching,
https://docs.claude.com/en/docs/build-with-claude/prompt-caching.
"""

import hashlib
from collections.abc import Sequence

from modicum.calls import Usage
from modicum.providers.blocks import Block

LEAST_CACHED_TOKENS = 1024
OPENAI_STEP_TOKENS = 128
MOST_PREFIXES = 20_000

CHARACTERS_PER_TOKEN = 4
TOKENS_PER_BLOCK = 3


def tokens_of(block: Block) -> int:
    """A rule of thumb that is the same everywhere; not a tokenizer."""
    return TOKENS_PER_BLOCK + (len(block.text) + len(block.tool)) // CHARACTERS_PER_TOKEN


class PromptCache:
    def __init__(self) -> None:
        self._seen: dict[bytes, None] = {}

    def prompt(self, dialect: str, model: str, blocks: Sequence[Block], body: bytes) -> Usage:
        """The input buckets of a prompt; remembers it."""
        total = sum(map(tokens_of, blocks))
        if dialect == "anthropic-messages":
            return self._explicit(model, blocks, total, body)
        read = self._longest_seen(dialect + model, blocks)
        if dialect.startswith("openai"):
            read -= read % OPENAI_STEP_TOKENS
        return Usage(input_uncached=total - read, cache_read=read)

    def _explicit(self, model: str, blocks: Sequence[Block], total: int, body: bytes) -> Usage:
        """A breakpoint anywhere counts as one behind the last block: so agents set them."""
        if b'"cache_control"' not in body or total < LEAST_CACHED_TOKENS:
            return Usage(input_uncached=total)
        read = self._longest_seen(model, blocks)
        written = total - read
        if b'"ttl":"1h"' in body.replace(b" ", b""):
            return Usage(cache_read=read, cache_write_1h=written)
        return Usage(cache_read=read, cache_write_5m=written)

    def _longest_seen(self, name: str, blocks: Sequence[Block]) -> int:
        """Tokens of the longest leading part that was seen before, if they are enough to be cached."""
        chain = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=16)
        tokens = longest = 0
        for block in blocks:
            chain.update(f"{block.kind}\0{block.tool}\0{block.text}\0".encode("utf-8", "replace"))
            tokens += tokens_of(block)
            digest = chain.digest()
            if self._seen.pop(digest, self) is None:
                longest = tokens
            self._seen[digest] = None
        while len(self._seen) > MOST_PREFIXES:
            del self._seen[next(iter(self._seen))]
        return longest if longest >= LEAST_CACHED_TOKENS else 0
