import pytest

from modicum.calls import UserError
from modicum.settings import read_settings

FINE = {"models": "gpt-4o", "first": "gpt-4o-mini", "verifier": "schema"}


def written(path, **fields):
    lines = [f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}" for name, value in fields.items()]
    path.write_text("[cascades.mine]\n" + "\n".join(lines))
    return path


def test_a_cascade_is_read(tmp_path):
    assert (
        read_settings({"MODICUM_CONFIG": str(written(tmp_path / "m.toml", **FINE))}).cascades["mine"].first
        == "gpt-4o-mini"
    )


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"models": " "}, "models"),
        ({"first": ""}, "first"),
        ({"verifier": "luck"}, "verifier"),
        ({"verifier": "agreement"}, "second"),
        ({"verifier": "agreement", "second": "gpt-4o-mini"}, "second"),
        ({"verifier": "http", "url": "file:///etc"}, "url"),
        ({"timeout_s": 0.0}, "timeout_s"),
        ({"most_wrong": 1.0}, "most_wrong"),
        ({"most_wrong": 0.1}, "outcome"),
        ({"answer_pattern": "("}, "answer_pattern"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path, fields, key):
    with pytest.raises(UserError, match=rf"cascades\.mine\.{key} must be"):
        read_settings({"MODICUM_CONFIG": str(written(tmp_path / "m.toml", **FINE | fields))})
