import tomllib

import pytest

from modicum.calls import UserError
from modicum.settings import Settings, read_settings
from modicum.settings.editing.changes import (
    REPLY_CACHE,
    ChangedMeanwhileError,
    SettingsChange,
    change_of,
    make_change,
)
from modicum.settings.optimize import OptimizeSettings


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "modicum.toml"
    file.write_text('# mine\n[[budget]]\nname = "a"\nper = "day"\nlimit_usd = 5\n')
    return file


def test_settings_that_make_a_change_real():
    settings = Settings(optimize=OptimizeSettings(on=("content.cut",)))

    assert change_of("keep_warm=auto", settings) == SettingsChange(table="optimize", key="keep_warm", value=True)
    assert change_of("cache_ttl=by_pauses", settings).value == "choose"
    assert change_of("cache_ttl=by_pauses", Settings(optimize=OptimizeSettings(cache_ttl="choose"))) is None
    assert change_of("rules=content.base64", settings).value == ["content.cut", "content.base64"]
    assert change_of("model:gpt-4.1=gpt-4o-mini", settings) == SettingsChange(
        table="models", key="gpt-4.1", value="openai/gpt-4o-mini"
    )
    assert change_of(REPLY_CACHE, settings).table == "reply_cache"
    for nothing in ("rules=content.cut", "rules=lossless", "cache_ttl=1h", "model:x=nobody-serves-it", "model:x"):
        assert change_of(nothing, settings) is None
    assert change_of("keep_warm=auto", Settings(optimize=OptimizeSettings(keep_warm=True))) is None
    assert change_of("model:a=gpt-5", Settings(models={"a": "openai/gpt-5"})) is None


@pytest.mark.parametrize(
    "what_if", ["keep_warm=auto", "model:gpt-4.1=gpt-4o-mini", REPLY_CACHE, "rules=content.base64"]
)
def test_a_change_is_made_and_taken_back(path, what_if):
    before = tomllib.loads(path.read_text())
    made = make_change(path, change_of(what_if, Settings()))
    assert tomllib.loads(path.read_text()) != before
    assert made.before == ""
    back = SettingsChange(table=made.change.table, key=made.change.key, row=made.change.row, value=None)
    make_change(path, back, made.now)
    after = tomllib.loads(path.read_text())

    assert {name: value for name, value in after.items() if value} == before
    with pytest.raises(UserError):
        make_change(path, back, made.now)


def test_what_somebody_else_changed_meanwhile_stays(path):
    change = SettingsChange(table="budget", key="limit_usd", row="a", value=9)
    with pytest.raises(ChangedMeanwhileError, match="it is 5 now"):
        make_change(path, change, "6")
    made = make_change(path, change, "5")

    assert (made.before, made.now) == ("5", "9")
    assert read_settings({"MODICUM_CONFIG": str(path)}).budget[0].limit_usd == 9
    with pytest.raises(UserError, match="no budget 'b'"):
        make_change(path, SettingsChange(table="budget", key="limit_usd", row="b", value=9))


def test_a_row_that_is_added_has_to_be_right(path):
    text = path.read_text()
    row = {"name": "b", "per": "fortnight", "limit_usd": 1}
    with pytest.raises(UserError, match="per"):
        make_change(path, SettingsChange(table="budget", row="b", value=row), "")
    with pytest.raises(ChangedMeanwhileError):
        make_change(path, SettingsChange(table="budget", row="a", value=row | {"name": "a"}), "")

    assert path.read_text() == text
