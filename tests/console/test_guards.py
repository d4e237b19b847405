import pytest

from modicum.console.guards import names_of


@pytest.mark.parametrize("host", [b"evil.example", b"127.0.0.1:9999", b"127.0.0.1:4101.evil.example", b"", None])
def test_a_name_that_is_not_ours_is_refused(site, host):
    reply = site.get("/overview", host=host)

    assert reply.status == 403
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "https://127.0.0.1:4101"])
def test_changes_are_taken_from_our_own_pages_only(site, origin):
    headers = {} if origin is None else {"origin": origin}

    assert site.get("/overview", method="POST", **headers).status == 403


def test_the_names_of_a_console_on_this_machine():
    assert names_of("127.0.0.1", 4101) == {b"127.0.0.1:4101", b"localhost:4101", b"[::1]:4101"}
    assert b"[::1]:4101" in names_of("::1", 4101)
    assert b"localhost" in names_of("localhost", 80)
