import multiprocessing
from datetime import UTC, date, datetime

import pytest

from modicum.calls import UserError
from modicum.library.sources import load_prices, open_source, read_scope


def test_times_of_every_kind_are_those_of_the_users_zone():
    scope = read_scope(date(2026, 3, 1), datetime(2026, 3, 2), timezone="Europe/Berlin")  # noqa: DTZ001 - as typed

    assert scope.span == (datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 1, 23, tzinfo=UTC))
    assert read_scope(datetime(2026, 3, 1, tzinfo=UTC)).span[0] == datetime(2026, 3, 1, tzinfo=UTC)


def test_names_are_patterns_of_a_dimension_one_or_several():
    scope = read_scope(where={"session": "s-*", "model": ["a", "b"]})

    assert [(one.by, one.patterns) for one in scope.conditions] == [("task", ("s-*",)), ("model", ("a", "b"))]


def test_another_person_cannot_be_looked_up():
    with pytest.raises(UserError, match="figures of other persons"):
        read_scope(where={"user": "somebody-else"})


def test_logs_are_read_in_this_process_alone(logs, monkeypatch):
    monkeypatch.setattr(multiprocessing, "get_context", lambda *_: pytest.fail("another process was started"))
    scope = read_scope()

    with open_source(logs, scope, load_prices(None, scope.settings)) as store:
        assert store.ask("holdings")


def test_an_empty_ledger_and_logs_without_a_call_say_so(tmp_path):
    scope = read_scope()
    prices = load_prices(None, scope.settings)
    (tmp_path / "notes.txt").write_text("nothing of a model")

    with pytest.raises(UserError, match="is empty"), open_source(None, scope, prices):
        pass
    with pytest.raises(UserError, match="no call in these logs"), open_source(tmp_path / "notes.txt", scope, prices):
        pass
