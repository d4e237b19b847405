from datetime import UTC, datetime

import msgspec

from modicum.governance.settings_log import SettingsEvent, audit_settings, standing_changes

NOW = datetime(2026, 11, 30, tzinfo=UTC)
EVENT = SettingsEvent(
    what="changed", change_id="c1", at=NOW, by="ann", table="budget", key="limit_usd", row="a", before="5", now="9"
)


def test_changes_stand_until_they_are_taken_back():
    other = msgspec.structs.replace(EVENT, change_id="c2")
    undone = msgspec.structs.replace(EVENT, what="undone")

    assert standing_changes([EVENT, other]) == [other, EVENT]
    assert standing_changes([EVENT, other, undone]) == [other]


def test_the_log_says_what_stood_there_and_what_stands_there_now():
    (line,) = audit_settings([EVENT])

    assert (line.subject, line.by, line.what) == ("budget 'a' limit_usd", "ann", "changed")
    assert (line.details["before"], line.details["now"]) == ("5", "9")
    assert msgspec.structs.replace(EVENT, row="", key="").setting == "budget"
