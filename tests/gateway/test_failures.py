import gc

import pytest

from modicum.gateway import failures
from modicum.gateway.failures import contain_stage


def test_a_failure_is_counted_each_time_and_logged_once_without_its_message(monkeypatch, capfd):
    monkeypatch.setattr(failures, "_logged", set())
    counted = []

    for _ in range(3):
        with contain_stage("spelling", counted.append):
            raise ValueError("a secret of the caller")

    lines = capfd.readouterr().err.splitlines()
    assert counted == ["spelling"] * 3
    assert len(lines) == 1
    assert '"stage":"spelling","error":"ValueError","place":"test_failures.py:' in lines[0]
    assert "secret" not in lines[0]


def test_the_log_is_bounded(monkeypatch, capfd):
    monkeypatch.setattr(failures, "_logged", set())
    monkeypatch.setattr(failures, "MOST_LOGGED", 2)

    for number in range(5):
        failures.log_failure(f"stage {number}", "ValueError", "here:1")

    assert len(capfd.readouterr().err.splitlines()) == 2


def test_what_is_no_failure_is_not_counted():
    counted = []

    with pytest.raises(KeyError), contain_stage("spelling", counted.append, (KeyError,)):
        raise KeyError

    assert counted == []


def test_a_stage_leaves_no_garbage():
    gc.collect()
    for _ in range(10):
        with contain_stage("spelling", print):
            pass

    assert gc.collect() == 0
