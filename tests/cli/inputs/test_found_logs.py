import shutil

import pytest

from modicum.calls import UserError
from modicum.cli.inputs.found_logs import find_home_logs, find_logs, find_outcome_files


def test_logs_of_agents_in_the_home_folder_are_named(home, transcripts, capsys):
    place = home / ".claude/projects/shop"
    place.parent.mkdir(parents=True)
    shutil.copytree(transcripts, place)

    assert find_home_logs() == [home / ".claude/projects"]
    assert str(home / ".claude/projects") in capsys.readouterr().err


def test_of_many_places_of_one_agent_three_are_named(home, capsys):
    for number in range(5):
        place = home / f".copilot/session-state/{number}"
        place.mkdir(parents=True)
        (place / "events.jsonl").write_text("{}")

    assert len(find_home_logs()) == 5
    assert "2/events.jsonl and 2 more" in capsys.readouterr().err


def test_an_agent_that_was_installed_and_never_used_is_no_log(home):
    (home / ".claude/projects").mkdir(parents=True)

    with pytest.raises(UserError, match="no agent logs in this home directory"):
        find_home_logs()


def test_without_logs_it_is_the_sample_with_its_outcomes(capsys):
    places = find_logs()

    assert [place.name for place in places] == ["logs"]
    assert "sample" in capsys.readouterr().err
    assert [path.name for path in find_outcome_files(places)] == ["outcomes.csv"]
    assert find_outcome_files([]) == []


def test_agents_whose_logs_cannot_be_read_are_named_and_no_sample_stands_for_them(home, capsys):
    place = home / ".codeium/windsurf/cascade"
    place.mkdir(parents=True)
    (place / "a.pb").write_bytes(b"sealed")

    with pytest.raises(UserError, match="are of no known format"):
        find_logs()

    assert f"not read: Windsurf, whose logs lie in {place}; calls sent through the gateway" in capsys.readouterr().err


def test_agents_whose_logs_cannot_be_read_are_named_beside_others(home, transcripts, capsys):
    (home / ".continue/sessions").mkdir(parents=True)
    (home / ".continue/sessions/a.json").write_text("{}")
    shutil.copytree(transcripts, home / ".claude/projects/shop")

    assert find_logs() == [home / ".claude/projects"]
    assert "not read: Continue" in capsys.readouterr().err
