"""The mock provider's prompt cache: which leading part of a prompt was seen before. What of it counts is each
dialect's rule. Times to live are not played: what was seen stays seen.
"""

import hashlib
from collections.abc import Sequence

from modicum.providers.blocks import Block

LEAST_CACHED_TOKENS = 1024
MOST_PREFIXES = 20_000

CHARACTERS_PER_TOKEN = 4
TOKENS_PER_BLOCK = 3


def tokens_of(block: Block) -> int:
    """A rule of thumb that is the same everywhere; not a tokenizer."""
    return TOKENS_PER_BLOCK + (len(block.text) + len(block.tool)) // CHARACTERS_PER_TOKEN


class PromptCache:
    def __init__(self) -> None:
        self._seen: dict[bytes, None] = {}

    def longest_seen(self, name: str, blocks: Sequence[Block]) -> int:
        """Remembers a prompt; says how many leading tokens of it were seen before, if they are enough to be cached."""
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
