import tomllib

import pytest

from modicum.calls import UserError
from modicum.settings import Settings
from modicum.settings.editing import change_of, change_setting, with_setting
from modicum.settings.optimize import OptimizeSettings


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "\n[optimize]\nkeep_warm = true\n"),
        ("[gateway]", "[gateway]\n\n[optimize]\nkeep_warm = true\n"),
        ("[optimize]", "[optimize]\nkeep_warm = true\n"),
        ("# a\n[optimize] # b\nhold_out = 0.2\n[x]\n", "# a\n[optimize] # b\nkeep_warm = true\nhold_out = 0.2\n[x]\n"),
        ("[optimize]\n keep_warm = false # why\n", "[optimize]\n keep_warm = true # why\n"),
        ("[optimize]\r\nkeep_warm = false\r\n", "[optimize]\r\nkeep_warm = true\r\n"),
    ],
)
def test_one_setting_changes_and_everything_else_stays(before, after):
    assert with_setting(before, "optimize", "keep_warm", value=True) == after


def test_a_list_is_replaced():
    text = '[optimize]\non = ["content.cut"]\n'

    changed = with_setting(text, "optimize", "on", ("content.cut", "content.base64"))

    assert tomllib.loads(changed)["optimize"]["on"] == ["content.cut", "content.base64"]


@pytest.mark.parametrize(
    "text",
    [
        "optimize = { enabled = true }\n",
        "optimize.enabled = true\n",
        '[optimize]\non = [\n  "content.cut",\n]\n',
        '[ "optimize" ]\non = ["content.cut"]\n',
        "no toml",
        'x = """\n[optimize]\n"""\n',
    ],
)
def test_what_cannot_be_changed_alone_is_left_and_said(text):
    with pytest.raises(UserError, match=r"write on = .* under \[optimize\]"):
        with_setting(text, "optimize", "on", ("content.base64",))


def test_a_file_is_changed_whole_or_not_at_all(tmp_path):
    path = tmp_path / "modicum.toml"
    path.write_text("[optimize]\nhold_out = 0.2\n")
    path.chmod(0o640)
    change_setting(path, "optimize", "keep_warm", value=True)

    assert tomllib.loads(path.read_text())["optimize"] == {"keep_warm": True, "hold_out": 0.2}
    assert path.stat().st_mode & 0o777 == 0o640
    before = path.read_text()
    with pytest.raises(UserError, match=r"names 'nonsense\.rule'"):
        change_setting(path, "optimize", "on", ("nonsense.rule",))
    with pytest.raises(UserError, match="no name"):
        change_setting(path, "optimize", "on", ('a"b',))
    assert path.read_text() == before
    assert list(tmp_path.glob("*modicum.toml*")) == [path]
    with pytest.raises(UserError, match="was not changed"):
        change_setting(tmp_path / "none.toml", "optimize", "keep_warm", value=True)


def test_changes_that_a_setting_makes():
    settings = Settings(optimize=OptimizeSettings(on=("content.cut",)))

    assert change_of("keep_warm=auto", settings) == ("optimize", "keep_warm", True)
    assert change_of("rules=content.base64", settings) == ("optimize", "on", ("content.cut", "content.base64"))
    assert change_of("rules=content.cut", settings) is None
    assert change_of("rules=lossless", settings) is None
    assert change_of("cache_ttl=1h", settings) is None
    assert change_of("keep_warm=auto", Settings(optimize=OptimizeSettings(keep_warm=True))) is None
