import pytest

from modicum.calls import UserError
from modicum.settings import policies_of, read_settings
from modicum.settings.resilience import ResilienceSettings, resilience_fault

UPSTREAM = '[upstreams.main]\nurl = "http://127.0.0.1:1/v1"\nspeaks = "openai"\n'


def read(tmp_path, text):
    path = tmp_path / "modicum.toml"
    path.write_text(text)
    return read_settings({"MODICUM_CONFIG": str(path)})


def test_policies_are_read_in_their_order(tmp_path):
    settings = read(
        tmp_path,
        UPSTREAM + '[models]\ncheap = "main/small"\n'
        '[[resilience]]\nname = "a"\nteam = "shop"\nretries = 2\nfallbacks = ["main/other", "cheap"]\n'
        '[[resilience]]\nname = "b"\n',
    )
    first, second = policies_of(settings.resilience)
    assert (first.name, first.retries, first.fallbacks, first.team) == ("a", 2, ("main/other", "cheap"), "shop")
    assert (second.name, second.retries, second.fallbacks) == ("b", 0, ())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('name = ""', r"modicum\.toml:6: resilience '': name must be"),
        ('name = "a"\nretries = -1', r"modicum\.toml:7: resilience 'a': retries is a number from 0 to 10"),
        ('name = "a"\nretries = 1000000', "retries is a number from 0 to 10"),
        ('name = "a"\nmost_wait_s = nan', "most_wait_s is a number of seconds from 0 to 300"),
        ('name = "a"\nfirst_wait_s = inf', "first_wait_s is a number of seconds"),
        (
            'name = "a"\nfallbacks = ["nobody/gpt"]',
            r"fallbacks holds 'nobody/gpt'; it takes UPSTREAM/MODEL \(upstreams: ",
        ),
        ('name = "a"\nfallbacks = ["main/"]', "fallbacks holds 'main/'"),
        ('name = "a"\n[[resilience]]\nname = "a"', "'a' comes twice"),
        ('name = "a"\nretrys = 1', "retrys"),
    ],
)
def test_a_wrong_policy_is_refused_with_its_place(tmp_path, row, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, f"{UPSTREAM}\n[[resilience]]\n{row}\n")


@pytest.mark.parametrize(
    "line",
    [
        "weight = -1",
        "weight = nan",
        "connect_s = -0.1",
        "first_byte_s = inf",
        "silence_s = 1e9",
        "whole_s = -1",
        "retry_share = 1.5",
        "circuit_share = 2",
        "circuit_calls = 0",
        "circuit_calls = 65",
        "circuit_window_s = 0",
        "circuit_open_s = 0",
    ],
)
def test_an_absurd_setting_of_an_upstream_is_refused(tmp_path, line):
    name = line.partition(" ")[0]
    with pytest.raises(UserError, match=rf"modicum\.toml:4: upstreams\.main\.{name} is .*must be a number from"):
        read(tmp_path, UPSTREAM + line + "\n")


def test_fallbacks_are_bounded():
    many = ResilienceSettings(name="a", fallbacks=("main/x",) * 11)
    assert resilience_fault([many], ("main",), {}) == (0, "fallbacks", "has at most 10")
