"""Who is calling: the key on the request, checked, and the owner that it stands for."""

import hashlib
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from modicum.calls import Owner
from modicum.gateway.refusal import Refused
from modicum.governance.keys import PREFIX, Keys
from modicum.outbound.keepalive import Header

KEY_HEADERS = (b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key")
"""Where the clients of the three families put their key."""


class Caller(NamedTuple):
    """Who pays, and with whose key at the provider."""

    owner: Owner
    models: tuple[str, ...]
    """The models that the key may use, as patterns; none: all."""
    own_key: Header | None
    """The provider key that the caller brought; None: the gateway's is used."""

    def check_model(self, model: str) -> None:
        """Raises:
        Refused: the key may not use this model.
        """
        if self.models and not any(fnmatchcase(model, pattern) for pattern in self.models):
            raise Refused(403, "this key may not use this model", "model_not_allowed")


class Owners:
    """Args:
    keys: gives the keys in force.
    digest_key: the ledger's key of digests.
    own_keys: whether callers may bring their own provider key.
    """

    def __init__(self, keys: Callable[[], Keys], digest_key: bytes, *, own_keys: bool) -> None:
        self.keys = keys
        self._digest_key = digest_key
        self._own_keys = own_keys

    def identify(self, headers: Mapping[bytes, bytes], query_key: str) -> Caller:
        """The caller, by the key in a header or, for Gemini's clients, in the query.

        Raises:
            Refused: there is no key, or it is unknown or revoked; which of them is not said.
        """
        carried = [(name, value) for name in KEY_HEADERS if (value := headers.get(name))]
        if not carried and query_key:
            carried = [(b"x-goog-api-key", query_key.encode("utf-8", "replace"))]
        for name, value in carried:
            token = value[7:] if name == b"authorization" and value[:7].lower() == b"bearer " else value
            if token.startswith(PREFIX.encode()):
                return self._known(token)
        if not carried:
            raise Refused(401, "a key is needed; 'modicum key create NAME' makes one", "missing_key")
        if not self._own_keys:
            raise Refused(401, "this key is unknown or revoked", "unknown_key")
        name, value = carried[0]
        return Caller(Owner(key="own-" + self._digest(value)), (), (name, value))

    def _known(self, token: bytes) -> Caller:
        key = self.keys().check(token.decode("utf-8", "replace"), self._digest_key)
        if key is None:
            raise Refused(401, "this key is unknown or revoked", "unknown_key")
        return Caller(key.owner, key.models, None)

    def _digest(self, key: bytes) -> str:
        return hashlib.blake2b(key, digest_size=4, key=self._digest_key[:64]).hexdigest()
