"""`modicum backup restore`."""

import shutil

from cli.process_rig import journaled
from modicum.settings import data_folder, state_folder


def test_what_was_lost_is_back_and_nothing_is_overwritten(folder, modicum):
    journaled(1)
    modicum("key", "create", "ci")
    modicum("backup", "create", "saved")
    refused = modicum("backup", "restore", "saved")
    shutil.rmtree(state_folder())
    (data_folder() / "digest.key").unlink()
    restored = modicum("backup", "restore", "saved")

    assert refused.status == 2
    assert "a restore overwrites nothing" in refused.err
    assert restored.status == 0
    assert "restored into" in restored.out
    assert [one["name"] for one in modicum("key", "list", "--json").json] == ["ci"]


def test_a_mistyped_path_is_one_line(folder, modicum):
    refused = modicum("backup", "restore", "savde")

    assert refused.status == 2
    assert "there is no file savde" in refused.err
    assert "Traceback" not in refused.err
