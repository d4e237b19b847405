"""`[console.oidc]`: an identity provider whose accounts log in to the console."""

from urllib.parse import urlsplit

import msgspec

from modicum.settings.secret import is_place

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class OidcSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[console.oidc]`. Who logs in so must be a user, by the name that the provider gives or by its `--subject`."""

    issuer: str = ""
    """The provider, as it names itself: https://login.example.com. Empty: nobody logs in so."""
    client_id: str = ""
    """What the provider calls this console."""
    client_secret: str = ""
    """Where the secret for it is: `env:NAME` or `file:PATH`. Empty: there is none."""
    claim: str = "email"
    """What the provider says of somebody that is the name of a user here: `email` (verified), `sub`,
    `preferred_username`."""
    hosts: tuple[str, ...] = ()
    """Other hosts that the provider answers at: https://oauth2.googleapis.com."""


def oidc_fault(oidc: OidcSettings) -> tuple[str, str] | None:
    """The setting that is wrong, and what it must be."""
    if not oidc.issuer:
        return None
    for key, url in (("issuer", oidc.issuer), *(("hosts", host) for host in oidc.hosts)):
        parts = urlsplit(url)
        if not parts.hostname or (parts.scheme != "https" and parts.hostname not in LOOPBACK):
            return key, "must be https://HOST: who somebody is comes over it"
    if not oidc.client_id:
        return "client_id", "must be what the provider calls this console"
    if oidc.client_secret and not is_place(oidc.client_secret):
        return "client_secret", "must say where the secret is: env:NAME or file:PATH"
    return None if oidc.claim else ("claim", "must be what the provider says of somebody, as email")
