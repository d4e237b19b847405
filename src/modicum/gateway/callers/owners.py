"""Who is calling: the key on the request, checked, and the owner that it stands for."""

import hashlib
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from modicum.calls import Owner
from modicum.gateway.callers.credentials import KEY_HEADERS, modicum_key
from modicum.gateway.callers.own_keys import check_credential, check_plan_client, is_plan
from modicum.gateway.http.refusal import Refused
from modicum.governance.keys import OWN_KEY, Keys
from modicum.outbound.keepalive import Header
from modicum.providers.other_models import other_models


class Caller(NamedTuple):
    """Who pays, and with whose key at the provider."""

    owner: Owner
    models: tuple[str, ...]
    """The models that the key may use, as patterns; none: all."""
    own_key: Header | None
    """The provider key that the caller brought; None: the gateway's is used."""
    key_id: str = ""
    """Of the modicum key; names are not unique."""
    is_plan: bool = False
    """Whether `own_key` is the credential of a person's plan: its calls are metered, and nothing else is done."""

    def check_model(self, model: str) -> None:
        """Whether the key may use the model.

        Raises:
            Refused: the key may not use this model.
        """
        if self.models and not any(fnmatchcase(model, pattern) for pattern in self.models):
            raise Refused(403, "this key may not use this model", "model_not_allowed")

    def check_body(self, body: bytes) -> None:
        """Whether the key may use the other models that the body names.

        Raises:
            Refused: the body names a model, beside that of the call, that the key may not use.
            DialectError: it cannot be read.
        """
        if not self.models:
            return
        for where, name in other_models(body):
            model = name.removeprefix("models/")  # as Google writes it
            if not any(fnmatchcase(model, pattern) for pattern in self.models):
                message = f"this key may not use a model that the body names in '{where[:40]}'"
                raise Refused(403, message, "model_not_allowed")


class Owners:
    """Who calls: keys of ours and callers' own keys, each with who pays.

    Args:
        keys: gives the keys in force.
        digest_key: the ledger's key of digests.
        own_keys: whether callers may bring their own provider key.
        plans: whether vendors' own clients may bring the credential of a plan.
    """

    def __init__(self, keys: Callable[[], Keys], digest_key: bytes, *, own_keys: bool, plans: bool = False) -> None:
        self.keys = keys
        self._digest_key = digest_key
        self._own_keys, self._plans = own_keys, plans

    def identify(self, headers: Mapping[bytes, bytes], query_key: bytes) -> Caller:
        """The caller, by the key in a header or, for Gemini's clients, in the query. A modicum key stands above others.

        Raises:
            Refused: there is no key, several of ours, or it is unknown or revoked; which of these two is not said. Or
                it is that of a plan, which nobody has let in.
        """
        carried = [(name, value) for name in KEY_HEADERS if (value := headers.get(name)) is not None]
        if query_key:
            carried.append((b"x-goog-api-key", query_key))
        if not carried:
            raise Refused(401, "a key is needed; 'modicum key create NAME' makes one", "missing_key")
        ours = {key for name, value in carried if (key := modicum_key(name, value))}
        if len(ours) > 1:
            raise Refused(401, "two different modicum keys came with this request; send one", "misplaced_key")
        plan = next((one for one in carried if is_plan(one)), None)
        if ours:
            caller = self._check_key(ours.pop())
            if plan is None or not self._plans:
                return caller
            check_plan_client(plan, headers.get(b"user-agent", b""))
            return caller._replace(own_key=plan, is_plan=True)
        if not self._own_keys:
            raise Refused(401, "this key is unknown or revoked", "unknown_key")
        own_key = carried[0]
        check_credential(own_key)
        if plan is not None:
            if not self._plans:
                raise Refused(
                    403,
                    "this is the credential of a plan, and plans do not pass here (gateway.plan_credentials in "
                    "modicum.toml, docs/plans.md); use a modicum key",
                    "plan_not_taken",
                )
            own_key = plan
            check_plan_client(plan, headers.get(b"user-agent", b""))
        owner = Owner(key=OWN_KEY + self._digest(own_key[1]))
        return Caller(owner, (), own_key, is_plan=plan is not None)

    def _check_key(self, token: bytes) -> Caller:
        key = self.keys().check(token.decode("utf-8", "replace"), self._digest_key)
        if key is None:
            raise Refused(401, "this key is unknown or revoked", "unknown_key")
        return Caller(key.owner, key.models, None, key.key_id)

    def _digest(self, key: bytes) -> str:
        return hashlib.blake2b(key, digest_size=4, key=self._digest_key[:64]).hexdigest()
