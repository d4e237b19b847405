import pytest

from modicum.calls import UserError
from modicum.settings import PromptSettings, read_settings
from modicum.settings.prompts import prompt_fault


@pytest.mark.parametrize(
    ("name", "fields", "key"),
    [
        ("a.b", {"append": "f"}, "a.b"),
        ("a", {"append": "f", "models": " "}, "models"),
        ("a", {}, "append"),
        ("a", {"append": "f", "old": "g", "new": "h"}, "append"),
        ("a", {"old": "g"}, "append"),
        ("a", {"new": "g"}, "append"),
    ],
)
def test_the_setting_that_is_wrong_is_named(name, fields, key):
    assert prompt_fault(name, PromptSettings(**({"models": "*"} | fields)))[0] == key


def test_right_ones_pass():
    assert prompt_fault("terse-2", PromptSettings(models="*", append="f")) is None
    assert prompt_fault("new", PromptSettings(models="*", old="f", new="g")) is None


def test_a_wrong_one_is_said_with_its_line(tmp_path):
    path = tmp_path / "modicum.toml"
    path.write_text('[prompts.terse]\nmodels = ""\nappend = "f"\n')

    with pytest.raises(UserError, match=r"modicum.toml:2: prompts.terse.models must be a model"):
        read_settings({"MODICUM_CONFIG": str(path)})
