from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from console.rig import Site, add_users
from modicum.calls import UserError
from modicum.console.access.oidc import KEPT_S, LOGIN_WITHIN_S, OidcProvider, ProviderAwayError
from modicum.ledger.opening import open_store
from modicum.settings import Settings
from modicum.settings.console import ConsoleSettings
from modicum.settings.oidc import OidcSettings

pytest.importorskip("authlib", reason="the extra oidc")
from console.access.oidc_rig import Provider

ADA = {"email": "ada@example.com", "email_verified": True}
BACK = "http://127.0.0.1:4101/login/oidc/back"


@pytest.fixture(scope="module")
def made_provider():
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def provider(made_provider):
    made_provider.claims, made_provider.signs_with, made_provider.is_away = {}, None, False
    made_provider.forms.clear()
    return made_provider


def settings_of(provider, **fields):
    return OidcSettings(**({"issuer": provider.url, "client_id": "console"} | fields))


def begin(oidc, provider, **claims):
    """A login as far as the provider sends the browser back: its state."""
    asked = oidc.begin(BACK, "/where")
    query = {name: values[0] for name, values in parse_qs(urlsplit(asked.url).query).items()}
    provider.claims = {"nonce": query["nonce"]} | ADA | claims
    return asked.state, query


def test_who_the_provider_vouches_for_is_believed(provider, tmp_path):
    (tmp_path / "secret").write_text("s3cret/")
    oidc = OidcProvider(settings_of(provider, client_secret=f"file:{tmp_path / 'secret'}"))
    state, query = begin(oidc, provider)

    assert oidc.finish(state, "code") == ("ada@example.com", "/where")
    assert (query["redirect_uri"], query["code_challenge_method"]) == (BACK, "S256")
    (form,) = provider.forms
    assert (form["code"], form["redirect_uri"]) == ("code", BACK)
    assert form["code_verifier"] not in query["code_challenge"]
    assert "s3cret" not in repr(form)
    with pytest.raises(UserError, match="took too long"):
        oidc.finish(state, "code")


@pytest.mark.parametrize(
    ("claims", "part"),
    [
        ({"nonce": "other"}, "cannot be believed"),
        ({"aud": "another"}, "cannot be believed"),
        ({"iss": "https://evil.example"}, "cannot be believed"),
        ({"exp": 1}, "cannot be believed"),
        ({"email_verified": False}, "not verified"),
        ({"email": ""}, "did not say 'email'"),
    ],
)
def test_what_it_says_of_others_or_another_time_is_not(provider, claims, part):
    oidc = OidcProvider(settings_of(provider))
    state, _ = begin(oidc, provider, **claims)

    with pytest.raises(UserError, match=part):
        oidc.finish(state, "code")


def test_a_token_that_another_key_signed_is_not_believed(provider):
    from joserfc.jwk import RSAKey

    oidc = OidcProvider(settings_of(provider))
    state, _ = begin(oidc, provider)
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "k1"})

    with pytest.raises(UserError, match="cannot be believed"):
        oidc.finish(state, "code")


def test_a_login_ends_within_its_time_and_hosts_are_those_that_were_named(provider):
    now = [0.0]
    oidc = OidcProvider(settings_of(provider), clock=lambda: now[0])
    state, _ = begin(oidc, provider)
    now[0] = LOGIN_WITHIN_S
    with pytest.raises(UserError, match="took too long"):
        oidc.finish(state, "code")

    with pytest.raises(UserError, match="does not describe its 'issuer'"):
        OidcProvider(settings_of(provider, issuer=provider.url + "/other"))._described("issuer")
    with pytest.raises(UserError, match="cannot be asked"):
        OidcProvider(settings_of(provider, issuer="http://127.0.0.1:1")).begin(BACK, "/")


def test_a_user_logs_in_with_an_account_and_a_stranger_does_not(provider, tmp_path):
    store = open_store(":memory:")
    add_users(tmp_path, ann="owner")
    add_users(tmp_path, **{"ada@example.com": "viewer"})
    site = Site(store, settings=Settings(console=ConsoleSettings(oidc=settings_of(provider))), state=tmp_path)
    assert "your organisation" in site.get("/login").text

    def log_in(**claims):
        sent = site.get("/login/oidc?next=/where")
        cookie = sent.headers["set-cookie"].partition(";")[0]
        query = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
        provider.claims = {"nonce": query["nonce"]} | ADA | claims
        return f"/login/oidc/back?code=c&state={query['state']}", {"cookie": cookie}

    address, cookie = log_in()
    assert site.get(address).status == 403
    reply = site.get(address, **cookie)
    assert (reply.status, reply.headers["location"]) == (303, "/where")
    address, cookie = log_in(email="eve@example.com")
    stranger = site.get(address, **cookie)
    assert (stranger.status, "is no user" in stranger.text) == (403, True)
    address, cookie = log_in()
    refused = site.get(address.replace("code=c", "error=access_denied"), **cookie)
    assert (refused.status, "access_denied" in refused.text) == (400, True)
    site.console.close()
    store.close()


def test_what_a_provider_said_that_is_away_is_believed_for_an_hour_at_most(provider):
    now = [0.0]
    oidc = OidcProvider(settings_of(provider), clock=lambda: now[0])
    state, _ = begin(oidc, provider)
    assert oidc.finish(state, "code")[0] == "ada@example.com"
    provider.is_away = True
    now[0] = KEPT_S - 1
    state, _ = begin(oidc, provider)
    with pytest.raises(ProviderAwayError, match="sent status 503"):
        oidc.finish(state, "code")
    now[0] = KEPT_S
    with pytest.raises(ProviderAwayError, match="Try again in a minute"):
        oidc.begin(BACK, "/")
    with pytest.raises(ProviderAwayError):
        oidc._document(f"{provider.url}/jwks")
    assert KEPT_S <= 3600


def test_while_the_provider_is_away_its_page_says_so_and_sessions_go_on(provider, tmp_path):
    store = open_store(":memory:")
    add_users(tmp_path, ann="owner")
    site = Site(store, settings=Settings(console=ConsoleSettings(oidc=settings_of(provider))), state=tmp_path)
    now = datetime.now(UTC)
    session = site.console.gate.sessions.begin("ann", now, now + timedelta(hours=1))
    provider.is_away = True

    away = site.get("/login/oidc?next=/where")
    assert (away.status, "That cannot be shown just now" in away.text) == (503, True)
    assert "log in with a password or a link" in away.text
    assert "set-cookie" not in away.headers
    assert site.get("/where", cookie=f"{site.console.gate.cookie}={session}").status == 200
    provider.is_away = False
    assert site.get("/login/oidc?next=/where").status == 303
    site.console.close()
    store.close()
