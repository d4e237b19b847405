import pytest

from modicum.calls import UserError
from modicum.outbound.hosts import AllowedHosts, origin_at

HOSTS = AllowedHosts(["http://127.0.0.1:8000/v1", "https://models.example.org"])


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/metrics", "https://models.example.org:443/v1/completions"])
def test_a_named_host_is_allowed_at_any_path(url):
    HOSTS.check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8001/metrics",
        "http://127.0.0.1.example.org:8000/",
        "http://models.example.org/",
        "http://10.0.0.1",
    ],
)
def test_another_host_port_or_scheme_is_not(url):
    with pytest.raises(UserError, match="was not named"):
        HOSTS.check(url)


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "file:///etc/passwd", "http://", "http://host:port"])
def test_what_is_no_web_address_is_told(url):
    with pytest.raises(UserError, match="no web address"):
        AllowedHosts([url])


def test_an_address_is_taken_apart_and_its_user_is_not_shown():
    hosts = AllowedHosts(["http://spans.example.org:4318"])

    found = hosts.check("http://me:p%40ss@spans.example.org:4318/v1/a path?x=\u00e9#part")

    assert found.origin is hosts.check("http://spans.example.org:4318/").origin
    assert found.origin.authority == b"spans.example.org:4318"
    assert found.target == b"/v1/a%20path?x=%C3%A9"
    assert found.shown == "http://spans.example.org:4318/v1/a path"
    assert found.credentials == b"Basic bWU6cEBzcw=="


@pytest.mark.parametrize(
    ("url", "authority", "tls"),
    [
        ("https://b\u00fccher.example/v1", b"xn--bcher-kva.example", True),
        ("http://[::1]:8000", b"[::1]:8000", False),
        ("http://localhost", b"localhost", False),
    ],
)
def test_an_origin_says_how_its_host_is_named(url, authority, tls):
    origin = origin_at(url)

    assert (origin.authority, origin.tls, origin.trust is not None) == (authority, tls, tls)
