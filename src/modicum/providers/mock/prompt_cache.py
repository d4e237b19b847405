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
        longest, beginnings = self.look_up(name, blocks)
        self.remember(beginnings)
        return longest

    def look_up(self, name: str, blocks: Sequence[Block]) -> tuple[int, list[bytes]]:
        """How many leading tokens of a prompt were seen before, if enough; and digests of all its beginnings."""
        chain = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=16)
        tokens = longest = 0
        beginnings = []
        for block in blocks:
            chain.update(f"{block.kind}\0{block.tool}\0{block.text}\0".encode("utf-8", "replace"))
            tokens += tokens_of(block)
            digest = chain.digest()
            if digest in self._seen:
                longest = tokens
            beginnings.append(digest)
        return longest if longest >= LEAST_CACHED_TOKENS else 0, beginnings

    def remember(self, beginnings: Sequence[bytes]) -> None:
        """From now on these were seen."""
        for digest in beginnings:
            self._seen.pop(digest, None)
            self._seen[digest] = None
        while len(self._seen) > MOST_PREFIXES:
            del self._seen[next(iter(self._seen))]
