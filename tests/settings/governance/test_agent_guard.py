import pytest

from modicum.calls import UserError
from modicum.settings import read_settings


def read(tmp_path, text):
    place = tmp_path / "modicum.toml"
    place.write_text(text)
    return read_settings({"MODICUM_CONFIG": str(place)}).agent_guard


def test_off_by_default_and_nudging_where_chosen(tmp_path):
    assert read(tmp_path, "") == ()
    (row,) = read(tmp_path, "[[agent_guard]]\nteam = 'core'\nmost_depth = 2\nrecursion = true\n")

    assert (row.act, row.limits.most_depth, row.limits.most_agents, row.limits.may_repeat) == ("nudge", 2, None, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[agent_guard]]\n", ":1: agent_guard: most_depth or another must be set: most_agents, recursion = true"),
        ("[[agent_guard]]\nmost_depth = -1\n", ":2: agent_guard: most_depth must be a number from 0 to 10,000"),
        (
            "[[agent_guard]]\nmost_depth = 1\n[[agent_guard]]\nmost_agents = 99999\n",
            ":4: agent_guard: most_agents must",
        ),
        ("[[agent_guard]]\nmost_depth = 1\nact = 'stop'\n", "act"),
        ("[[agent_guard]]\nmost_deep = 1\n", "most_deep"),
        ("[[agent_guard]]\nmost_depth = 1.5\n", "most_depth"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, text, message):
    with pytest.raises(UserError) as error:
        read(tmp_path, text)

    assert message in str(error.value)
