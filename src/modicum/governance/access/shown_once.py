"""Secrets that are shown once and never kept: what is kept is a public id and a keyed digest.

Keys of the gateway, tokens for programs, one-time links and sessions all look like `PREFIX_<id>_<secret>`. The id finds
the record; the secret is compared in constant time, and takes as long where there is no such record.
"""

import hashlib
import hmac
import secrets
from typing import NamedTuple

_ID_BYTES, _SECRET_BYTES = 6, 32
_NOBODY = bytes(32)


class ShownOnce(NamedTuple):
    """A fresh secret: the text for its holder, and what may be kept."""

    text: str
    public_id: str
    digest: bytes


def make_secret(prefix: str, digest_key: bytes) -> ShownOnce:
    """A secret that nobody can ask for again. `prefix` ends with `_` and says what it opens."""
    public_id, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES).replace("_", "-")
    return ShownOnce(f"{prefix}{public_id}_{secret}", public_id, digest_of(secret, digest_key))


def split_secret(prefix: str, text: str) -> tuple[str, str]:
    """Public id and secret of a text that somebody sent; of one that is none, parts that fit nothing."""
    public_id, _, secret = text.removeprefix(prefix).partition("_")
    return public_id, secret


def fits(secret: str, digest: bytes | None, digest_key: bytes) -> bool:
    """Whether this is the secret with that digest; None: there is no record, which takes as long to say."""
    right = hmac.compare_digest(digest_of(secret, digest_key), digest or _NOBODY)
    return right and digest is not None


def digest_of(secret: str, digest_key: bytes) -> bytes:
    """The keyed digest under which a secret is kept."""
    return hashlib.blake2b(secret.encode("utf-8", "surrogatepass"), digest_size=32, key=digest_key[:64]).digest()
