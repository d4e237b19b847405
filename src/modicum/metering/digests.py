"""Keyed digests: equal texts can be recognised, and nobody without the key can test a guess.

BLAKE2b with a key (RFC 7693), 16 bytes. The key lives beside the ledger and never in it.
"""

import hashlib
from dataclasses import dataclass

DIGEST_BYTES = 16


@dataclass(frozen=True)
class Digester:
    key: bytes

    def digest(self, text: str) -> bytes:
        """16 bytes; the same for the same text and key."""
        return hashlib.blake2b(
            text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES, key=self.key, usedforsecurity=True
        ).digest()
