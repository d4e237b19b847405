import msgspec

from modicum.gateway.process.settings_stamp import CHANGED, stamp_of
from modicum.settings import Settings


def test_each_of_the_files_counts_and_one_that_is_gone_is_another(tmp_path):
    file, policy = tmp_path / "modicum.toml", tmp_path / "policy.toml"
    settings = msgspec.structs.replace(Settings(), file=str(file))
    stamps = [stamp_of(settings), CHANGED]
    file.write_text("a")
    stamps.append(stamp_of(settings))
    policy.write_text("b")
    stamps.append(stamp_of(settings))

    assert len(set(stamps)) == 4
    assert stamp_of(settings) == stamps[-1]
