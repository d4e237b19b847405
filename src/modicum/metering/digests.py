"""Keyed digests: equal texts can be recognised, and nobody without the key can test a guess.

BLAKE2b with a key (RFC 7693), 16 bytes. The key lives beside the ledger and never in it.
"""

import hashlib
from dataclasses import dataclass

DIGEST_BYTES = 16
SEGMENT_VERSION = 2
"""Of the rules by which a block becomes a text and that a digest. Raise it when they change: digests of different
versions are never equal, and say that they are."""
_SEGMENT = b"segment %d" % SEGMENT_VERSION


@dataclass(frozen=True)
class Digester:
    key: bytes

    def digest(self, text: str) -> bytes:
        """16 bytes; the same for the same text and key, in every version. For names."""
        return hashlib.blake2b(
            text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES, key=self.key, usedforsecurity=True
        ).digest()

    def segment(self, text: str) -> bytes:
        """The digest of a segment's text: 16 bytes, and one that says the version."""
        return hashlib.blake2b(
            text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES, key=self.key, person=_SEGMENT
        ).digest() + bytes((SEGMENT_VERSION,))


def segment_version(digest: bytes) -> int:
    """The version of a segment's digest; 1 had no mark. 0 where there is no digest."""
    return digest[DIGEST_BYTES] if len(digest) > DIGEST_BYTES else min(len(digest), 1)
