import pytest

from modicum.settings import TeamSettings
from modicum.settings.teams import team_fault


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (TeamSettings(plan="x", answer="("), "answer"),
        (TeamSettings(plan="x", marks=("{agent}",)), "marks"),
        (TeamSettings(plan="x", margin=1.1), "margin"),
    ],
)
def test_the_setting_that_is_wrong_is_named(settings, key):
    assert team_fault(settings)[0] == key


def test_a_team_that_fits():
    assert team_fault(TeamSettings(plan="x", answer="ANSWER: (.+)", marks=("{agent}: ",), margin=0.0)) is None
