import pytest

from modicum.settings.oidc import OidcSettings, oidc_fault

RIGHT = {"issuer": "https://login.example.com", "client_id": "console", "client_secret": "env:SECRET"}


def test_a_provider_that_can_be_asked_is_taken():
    assert oidc_fault(OidcSettings()) is None
    assert oidc_fault(OidcSettings(**RIGHT)) is None
    assert oidc_fault(OidcSettings(issuer="http://127.0.0.1:9", client_id="x")) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("issuer", "http://login.example.com"),
        ("issuer", "login"),
        ("hosts", ("http://x.example",)),
        ("client_id", ""),
        ("client_secret", "s3cret"),
        ("claim", ""),
    ],
)
def test_what_is_wrong_is_said(key, value):
    assert oidc_fault(OidcSettings(**(RIGHT | {key: value})))[0] == key
