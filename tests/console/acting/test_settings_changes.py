import pytest

from modicum.calls import UserError
from modicum.console.access.viewer import ForbiddenError
from modicum.console.acting.settings_changes import apply_change, can_apply, changes_to_undo, undo_change
from modicum.ledger.records import AUDIT_EVENTS
from modicum.settings import read_settings
from modicum.settings.editing.changes import ChangedMeanwhileError


def test_a_change_is_written_on_record_and_taken_back(asking_as, store, settings_file):
    eve, before = asking_as("eve"), settings_file.read_text()
    assert can_apply(eve, "keep_warm=auto")
    event = apply_change(eve, "keep_warm=auto")
    assert read_settings().optimize.keep_warm
    assert not can_apply(eve, "keep_warm=auto")
    assert changes_to_undo(eve) == [event]
    undo_change(eve, event.change_id)

    assert settings_file.read_text() == f"{before}\n[optimize]\n"
    lines = store.records(AUDIT_EVENTS)
    assert [(line.what, line.by, line.subject, line.details["now"]) for line in lines] == [
        ("changed", "eve", "optimize keep_warm", "true"),
        ("undone", "eve", "optimize keep_warm", "(none)"),
    ]


@pytest.mark.parametrize("what_if", ["model:gpt-4.1=gpt-4o-mini", "reply_cache=1h", "rules=content.base64"])
def test_other_features_are_written_too(asking_as, what_if):
    eve = asking_as("eve")
    event = apply_change(eve, what_if)
    assert not can_apply(eve, what_if)
    undo_change(eve, event.change_id)

    assert can_apply(eve, what_if)


def test_what_was_changed_since_is_not_taken_back(asking_as, settings_file):
    eve = asking_as("eve")
    event = apply_change(eve, "keep_warm=auto")
    settings_file.write_text(settings_file.read_text().replace("keep_warm = true", "keep_warm = false"))

    with pytest.raises(ChangedMeanwhileError, match="it is false now"):
        undo_change(eve, event.change_id)


def test_who_may_not_and_what_cannot_be(asking_as, settings_file, monkeypatch):
    for who in ("vic", "ted"):
        assert not can_apply(asking_as(who), "keep_warm=auto")
        assert changes_to_undo(asking_as(who)) == []
        with pytest.raises(ForbiddenError):
            apply_change(asking_as(who), "keep_warm=auto")
        with pytest.raises(ForbiddenError):
            undo_change(asking_as(who), "x")
    eve = asking_as("eve")
    with pytest.raises(UserError, match="no setting"):
        apply_change(eve, "cache_ttl=1h")
    with pytest.raises(UserError, match="never made"):
        undo_change(eve, "x")
    monkeypatch.delenv("MODICUM_CONFIG")
    settings_file.rename(settings_file.with_suffix(".away"))
    with pytest.raises(UserError, match="modicum init"):
        apply_change(eve, "keep_warm=auto")
