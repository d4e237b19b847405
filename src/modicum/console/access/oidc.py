"""Logging in with an organisation's own accounts (OpenID Connect, code flow with PKCE). The protocol is authlib's; what
is ours is the transport, to hosts that the settings name, and who at the provider is which user here.
"""

import secrets
import threading
import time
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from modicum.calls import UserError
from modicum.calls.extras import load_extra
from modicum.outbound.blocking import ask
from modicum.outbound.hosts import AllowedHosts
from modicum.outbound.unreachable import Unreachable
from modicum.settings import secret_at
from modicum.settings.oidc import OidcSettings

TIMEOUT_S = 10.0
KEPT_S = 3600.0
"""How long the provider's own description and keys are believed without asking again."""
LOGIN_WITHIN_S = 600.0
MOST_LOGINS = 1000
LEEWAY_S = 60
"""How far clocks may differ."""
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures by a key of the provider: neither `none` nor one by the shared secret."""
PURPOSE = "logging in by OIDC"


class ProviderAwayError(UserError):
    """The identity provider does not answer, or not as one; nobody who asks is at fault."""


class LoginRequest(NamedTuple):
    """Where the browser is sent, and what it has to bring back."""

    url: str
    state: str


class _Pending(NamedTuple):
    nonce: str
    verifier: str
    redirect: str
    back: str
    until: float


class OidcProvider:
    """One identity provider.

    Args:
        settings: checked.
        clock: tells the time in seconds.
    """

    def __init__(self, settings: OidcSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._issuer = settings.issuer.rstrip("/")
        self._hosts = AllowedHosts([self._issuer, *settings.hosts])
        self._pending: OrderedDict[str, _Pending] = OrderedDict()
        self._documents: dict[str, tuple[float, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def begin(self, redirect: str, back: str) -> LoginRequest:
        """A login, to be ended by the same browser within ten minutes.

        Args:
            redirect: the address of ours to which the provider sends the browser.
            back: the page that was asked for.

        Raises:
            UserError: the provider cannot be asked, or authlib is not installed.
        """
        grants = load_extra("oidc", PURPOSE, "authlib.oauth2.rfc6749.parameters")
        pkce = load_extra("oidc", PURPOSE, "authlib.oauth2.rfc7636")
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        with self._lock:
            while len(self._pending) >= MOST_LOGINS:
                self._pending.popitem(last=False)
            self._pending[state] = _Pending(nonce, verifier, redirect, back, self._clock() + LOGIN_WITHIN_S)
        url = grants.prepare_grant_uri(
            self._described("authorization_endpoint"),
            self._settings.client_id,
            "code",
            redirect,
            scope="openid email profile",
            state=state,
            nonce=nonce,
            code_challenge=pkce.create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return LoginRequest(url, state)

    def finish(self, state: str, code: str) -> tuple[str, str]:
        """Who has logged in, as the provider says, and the page that was asked for.

        Args:
            state: as the browser brought it back, and as it was bound to that browser.
            code: what the provider gave it.

        Raises:
            UserError: the login is unknown or too old, or what the provider says cannot be believed.
        """
        with self._lock:
            pending = self._pending.pop(state, None)
        if pending is None or self._clock() >= pending.until:
            raise UserError("this login took too long or began elsewhere: begin again")
        claims = self._claims(self._exchange(code, pending), pending.nonce)
        name = claims.get(self._settings.claim)
        if not isinstance(name, str) or not name:
            raise UserError(f"the identity provider did not say '{self._settings.claim}' of you")
        if self._settings.claim == "email" and claims.get("email_verified") is not True:
            raise UserError("the identity provider has not verified your address")
        return name, pending.back

    def _exchange(self, code: str, pending: _Pending) -> str:
        """The ID token for a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": pending.redirect,
            "code_verifier": pending.verifier,
            "client_id": self._settings.client_id,
        }
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        if self._settings.client_secret:
            secret = secret_at("console.oidc.client_secret", self._settings.client_secret)
            pair = f"{quote(self._settings.client_id, safe='')}:{quote(secret, safe='')}"
            headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        reply = self._ask("POST", self._described("token_endpoint"), urlencode(form).encode(), headers)
        token = reply.get("id_token")
        if not isinstance(token, str):
            raise UserError("the identity provider gave no ID token: begin again")
        return token

    def _claims(self, token: str, nonce: str) -> Mapping[str, Any]:
        """What a token says, if it is signed by the provider, for us, now, and for this login."""
        jwt, jwk = (load_extra("oidc", PURPOSE, f"joserfc.{name}") for name in ("jwt", "jwk"))
        errors = load_extra("oidc", PURPOSE, "joserfc.errors")
        core = load_extra("oidc", PURPOSE, "authlib.oidc.core")
        base = load_extra("oidc", PURPOSE, "authlib.common.errors")
        try:
            try:
                decoded = self._decode(jwt, jwk, token, again=False)
            except (errors.InvalidKeyIdError, errors.BadSignatureError):  # keys that the provider has renewed
                decoded = self._decode(jwt, jwk, token, again=True)
            claims = core.CodeIDToken(
                decoded.claims,
                decoded.header,
                options={
                    "iss": {"essential": True, "value": self._described("issuer")},
                    "aud": {"essential": True, "value": self._settings.client_id},
                    "exp": {"essential": True},
                    "nonce": {"essential": True, "value": nonce},
                },
                params={"nonce": nonce, "client_id": self._settings.client_id},
            )
            claims.validate(leeway=LEEWAY_S)
        except (errors.JoseError, base.AuthlibBaseError, ValueError) as error:
            raise UserError(f"what the identity provider says cannot be believed ({type(error).__name__})") from None
        statement: Mapping[str, Any] = claims
        return statement

    def _decode(self, jwt: Any, jwk: Any, token: str, *, again: bool) -> Any:
        keys = jwk.KeySet.import_key_set(self._document(self._described("jwks_uri"), again=again))
        return jwt.decode(token, keys, algorithms=list(ALGORITHMS))

    def _described(self, name: str) -> str:
        """A field of the provider's description of itself."""
        document = self._document(f"{self._issuer}/.well-known/openid-configuration")
        value = document.get(name)
        if not isinstance(value, str) or (name == "issuer" and value.rstrip("/") != self._issuer):
            raise UserError(f"the identity provider {self._issuer} does not describe its '{name}' as it should")
        return value

    def _document(self, url: str, *, again: bool = False) -> dict[str, Any]:
        made_at, document = self._documents.get(url, (0.0, {}))
        if again or not document or self._clock() >= made_at + KEPT_S:
            document = self._ask("GET", url)
            self._documents[url] = self._clock(), document
        return document

    def _ask(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        address = self._hosts.check(url)
        try:
            reply = ask(address.origin, method, address.target.decode(), body, headers, timeout_s=TIMEOUT_S)
            document = msgspec.json.decode(reply.body) if reply.status == 200 else None
        except (Unreachable, msgspec.DecodeError) as error:
            raise _away(str(error)) from None
        if reply.status >= 500:
            raise _away(f"{address.shown} sent status {reply.status}")
        if not isinstance(document, dict):
            raise UserError(f"the identity provider refused ({address.shown}, status {reply.status}): begin again")
        return document


def _away(trouble: str) -> ProviderAwayError:
    return ProviderAwayError(
        f"the identity provider cannot be asked: {trouble}. Try again in a minute, or log in with a password or a link "
        "that an owner gives you. Who is logged in already stays so"
    )
