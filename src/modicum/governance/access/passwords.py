"""Passwords of the console's users, kept as scrypt hashes (RFC 7914) with a salt each."""

import base64
import hashlib
import hmac
import secrets

from modicum.calls import UserError

LEAST_LENGTH, MOST_LENGTH = 12, 1000
_COST, _BLOCK, _PARALLEL, _LENGTH = 2**15, 8, 1, 32
"""32 MiB and about a tenth of a second for each try."""
_MEMORY = 64 * 1024 * 1024


def hash_password(password: str) -> str:
    """What is kept of a password: method, cost, salt and hash, so that the cost can grow later.

    Raises:
        UserError: it is too short to resist guessing, or longer than any that people use.
    """
    if not LEAST_LENGTH <= len(password) <= MOST_LENGTH:
        raise UserError(f"a password has {LEAST_LENGTH} to {MOST_LENGTH:,} characters; several words are easiest")
    salt = secrets.token_bytes(16)
    return f"scrypt${_COST}${_text(salt)}${_text(_hash(password, salt, _COST))}"


def check_password(password: str, kept: str) -> bool:
    """Whether this is the password of that hash. An empty hash takes as long, and fits nothing."""
    method, _, rest = (kept or _NONE).partition("$")
    cost, _, rest = rest.partition("$")
    salt, _, expected = rest.partition("$")
    if method != "scrypt" or len(password) > MOST_LENGTH:
        return False
    right = hmac.compare_digest(_hash(password, base64.b64decode(salt), int(cost)), base64.b64decode(expected))
    return right and bool(kept)


def _hash(password: str, salt: bytes, cost: int) -> bytes:
    words = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(words, salt=salt, n=cost, r=_BLOCK, p=_PARALLEL, maxmem=_MEMORY, dklen=_LENGTH)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


_NONE = f"scrypt${_COST}${_text(bytes(16))}${_text(bytes(_LENGTH))}"
