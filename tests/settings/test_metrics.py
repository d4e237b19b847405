import pytest

from modicum.calls import UserError
from modicum.settings import read_settings
from modicum.settings.metrics import MetricsSettings, metrics_fault


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('token = "s3cret"', "metrics.token must say where the token is"),
        ("most_owners = 0", "metrics.most_owners is a number from 1 to 2,000"),
        ("most_owners = -5", "metrics.most_owners is a number"),
        ("most_owners = 1000000", "metrics.most_owners is a number"),
        ("most_owner = 5", "accepted are token (str), most_owners (int)"),
    ],
)
def test_a_wrong_value_is_named_with_file_and_line(tmp_path, line, message):
    file = tmp_path / "modicum.toml"
    file.write_text(f"[metrics]\n{line}\n")

    with pytest.raises(UserError) as refused:
        read_settings({"MODICUM_CONFIG": str(file)})

    assert message in str(refused.value)
    assert "s3cret" not in str(refused.value)
    assert f"{file}:2" in str(refused.value) or "most_owner`" in str(refused.value)


def test_the_usual_settings_are_fine():
    assert metrics_fault(MetricsSettings()) is None
