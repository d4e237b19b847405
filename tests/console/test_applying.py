import pytest

from console.rig import Site, asking_of
from modicum.calls import UserError
from modicum.console.applying import apply_change, can_apply
from modicum.ledger.opening import open_store
from modicum.ledger.records import AUDIT_EVENTS
from modicum.settings import Settings, read_settings

ORIGIN = "http://127.0.0.1:4101"


@pytest.fixture
def store():
    opened = open_store(":memory:")
    yield opened
    opened.close()


@pytest.fixture
def settings_file(tmp_path, monkeypatch):
    path = tmp_path / "modicum.toml"
    path.write_text("# mine\n")
    monkeypatch.setenv("MODICUM_CONFIG", str(path))
    return path


def test_a_change_is_written_and_on_record(store, settings_file):
    asking = asking_of(store, settings=read_settings())
    assert can_apply(asking, "keep_warm=auto")
    said = apply_change(asking, "keep_warm=auto")
    (event,) = store.records(AUDIT_EVENTS)

    assert "optimize.keep_warm is set" in said
    assert read_settings().optimize.keep_warm
    assert settings_file.read_text().startswith("# mine\n")
    assert (event.kind, event.what, event.subject, event.details["now"]) == (
        "settings",
        "changed",
        "optimize.keep_warm",
        "true",
    )


def test_without_a_file_or_a_setting_it_is_said(store, settings_file):
    with pytest.raises(UserError, match="modicum init"):
        apply_change(asking_of(store, settings=Settings()), "keep_warm=auto")
    with pytest.raises(UserError, match="no setting"):
        apply_change(asking_of(store, settings=read_settings()), "cache_ttl=1h")


def test_a_form_needs_the_token_of_a_page_and_our_origin(store, settings_file):
    site = Site(store, settings=read_settings())
    body = b"token=wrong&what_if=keep_warm%3Dauto&back=%3Fsince%3D7d"

    assert site.get("/waste/apply", "POST", body, origin=ORIGIN).status == 403
    assert site.get("/waste/apply", "POST", body, origin="http://evil.example").status == 403
    assert site.get("/waste/apply", "POST", b"x" * 20_000, origin=ORIGIN).status == 413
    assert site.get("/waste/apply").status == 405
    assert not read_settings().optimize.keep_warm


def test_a_form_of_a_page_is_taken_and_leads_back(store, settings_file):
    site = Site(store, settings=read_settings())
    token = site.console_token().encode()
    reply = site.get(
        "/waste/apply", "POST", b"token=" + token + b"&what_if=keep_warm%3Dauto&back=%3Fsince%3D7d", origin=ORIGIN
    )
    elsewhere = site.get(
        "/waste/apply", "POST", b"token=" + token + b"&what_if=rules%3Dcontent.cut&back=//evil", origin=ORIGIN
    )

    assert (reply.status, reply.headers["location"]) == (303, "/waste?since=7d")
    assert elsewhere.headers["location"] == "/waste"
    assert read_settings().optimize.keep_warm
