import pytest

from modicum.calls import UserError
from modicum.outbound import AllowedHosts

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
