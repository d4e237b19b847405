import tomllib

import pytest

from modicum.calls import UserError
from modicum.settings.editing.settings_text import (
    SettingPlace,
    edit_settings,
    find_row,
    value_at,
    with_row,
    with_setting,
    without_row,
)

KEEP_WARM, ON = SettingPlace("optimize", "keep_warm"), SettingPlace("optimize", "on")
ROWS = '[[budget]]\nname = "a"\nlimit_usd = 5 # why\n\n# the second\n[[budget]]\nname = "b"\nlimit_usd = 7.5\n'


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
    assert with_setting(before, KEEP_WARM, value=True) == after


def test_a_list_is_replaced():
    text = '[optimize]\non = ["content.cut"]\n'

    changed = with_setting(text, ON, ("content.cut", "content.base64"))

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
        with_setting(text, ON, ("content.base64",))


def test_a_file_is_changed_whole_or_not_at_all(tmp_path):
    path = tmp_path / "modicum.toml"
    path.write_text("[optimize]\nhold_out = 0.2\n")
    path.chmod(0o640)
    edit_settings(path, lambda text: with_setting(text, KEEP_WARM, value=True))

    assert tomllib.loads(path.read_text())["optimize"] == {"keep_warm": True, "hold_out": 0.2}
    assert path.stat().st_mode & 0o777 == 0o640
    before = path.read_text()
    with pytest.raises(UserError, match=r"names 'nonsense\.rule'"):
        edit_settings(path, lambda text: with_setting(text, ON, ("nonsense.rule",)))
    with pytest.raises(UserError, match="no name"):
        edit_settings(path, lambda text: with_setting(text, ON, ('a"b',)))
    assert path.read_text() == before
    assert list(tmp_path.glob("*modicum.toml*")) == [path]
    with pytest.raises(UserError, match="was not changed"):
        edit_settings(tmp_path / "none.toml", lambda text: text)


def test_one_setting_of_one_row_changes():
    second = find_row(ROWS, "budget", lambda row: row["name"] == "b")

    assert with_setting(ROWS, SettingPlace("budget", "limit_usd", second), 8) == ROWS.replace("7.5", "8")
    assert with_setting(ROWS, SettingPlace("budget", "limit_usd", 0), 0.5) == ROWS.replace("= 5 #", "= 0.5 #")
    assert with_setting(ROWS, SettingPlace("budget", "team", 0), "x").count("team") == 1
    assert value_at(ROWS, SettingPlace("budget", "limit_usd", second)) == 7.5
    assert value_at(ROWS, SettingPlace("budget", "limit_usd", 9)) is None
    assert find_row("no toml", "budget", lambda _row: True) is None


def test_a_setting_is_taken_out_again():
    text = "# mine\n[optimize]\nkeep_warm = true\nhold_out = 0.2\n"

    assert with_setting(text, KEEP_WARM, None) == "# mine\n[optimize]\nhold_out = 0.2\n"
    assert with_setting(with_setting("# mine\n", KEEP_WARM, value=True), KEEP_WARM, None) == "# mine\n\n[optimize]\n"


def test_a_row_comes_and_goes_and_comments_of_others_stay():
    added = with_row(ROWS, "budget", {"name": "c", "limit_calls": 3})

    assert added == ROWS + '\n[[budget]]\nname = "c"\nlimit_calls = 3\n'
    assert without_row(added, "budget", 2) == ROWS + "\n"
    assert "# the second" in without_row(ROWS, "budget", 0)
    assert "name" not in without_row(without_row(ROWS, "budget", 0), "budget", 0)
    with pytest.raises(UserError, match=r"take it out of \[\[budget\]\]"):
        without_row('budget = [{ name = "a" }]\n', "budget", 0)
    with pytest.raises(UserError, match=r"add \[\[budget\]\]"):
        with_row('budget = [{ name = "a" }]\n', "budget", {"name": "b"})


@pytest.mark.parametrize("name", ["gpt-4o", "gpt-4.1", "a b", "gpt-\N{SNOWMAN}"])
def test_names_of_settings_are_quoted_where_they_must(name):
    place = SettingPlace("models", name)
    once = with_setting("", place, "openai/x")

    assert tomllib.loads(with_setting(once, place, "openai/y")) == {"models": {name: "openai/y"}}


def test_a_setting_above_all_tables_comes_changes_and_goes():
    place, text = SettingPlace("", "keep_days"), '# mine\ntimezone = "UTC"\n\n[optimize]\nkeep_days = 1\n'

    added = with_setting(text, place, 90)
    assert added == "keep_days = 90\n" + text
    assert value_at(added, place) == 90
    assert with_setting(added, place, 30) == "keep_days = 30\n" + text
    assert with_setting(added, place, None) == text
    assert with_setting("", place, 90) == "keep_days = 90\n"
