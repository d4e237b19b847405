"""`modicum backup create`."""

from pathlib import Path

from cli.process_rig import journaled
from modicum.settings import state_folder


def test_a_backup_is_written_once(folder, modicum):
    journaled(1)
    created = modicum("backup", "create", "saved", "--json")
    again = modicum("backup", "create", "saved")

    assert [one["name"] for one in created.json["files"]][-1] == "journal/gateway.sqlite"
    assert again.status == 2
    assert "is there already" in again.err
    assert Path("saved").stat().st_mode & 0o777 == 0o600


def test_the_key_of_digests_goes_along_unless_it_is_left_out(folder, modicum):
    modicum("key", "create", "ci")
    names = [
        {one["name"] for one in modicum("backup", "create", *words, "--json").json["files"]}
        for words in (["with"], ["without", "--without-digest-key"])
    ]

    assert "events.sqlite" in names[0] & names[1]
    assert names[0] - names[1] == {"digest.key"}


def test_where_nothing_ran_it_says_so(folder, modicum):
    refused = modicum("backup", "create", "saved")

    assert refused.status == 2
    assert f"nothing to back up in {state_folder()}" in refused.err
    assert not Path("saved").exists()
