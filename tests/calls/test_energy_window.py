import msgspec

from modicum.calls import EnergyWindow
from modicum.calls.energy_window import name_regime, parse_models

WINDOW = EnergyWindow(
    started=1_700_000_000.0,
    seconds=5.0,
    gpus=("GPU-0",),
    servers=("http://127.0.0.1:8000",),
    joules=900.0,
    counted=True,
    generated_tokens=10.0,
    prompt_tokens=20.0,
    cached_tokens=None,
    steps=4.0,
    running_seconds=5.0,
    busy_seconds=5.0,
)


def test_a_window_is_known_by_its_gpus_servers_and_start():
    assert msgspec.structs.replace(WINDOW, joules=1.0, seconds=2.0).window_id == WINDOW.window_id
    for other in ({"gpus": ("GPU-1",)}, {"servers": ()}, {"started": 1_700_000_000.002}):
        assert msgspec.structs.replace(WINDOW, **other).window_id != WINDOW.window_id


def test_a_longer_record_is_more_complete_and_of_equals_one_that_names_its_provider():
    named = msgspec.structs.replace(WINDOW, provider="own")
    longer = msgspec.structs.replace(WINDOW, seconds=5.1)

    assert WINDOW.revision < named.revision < longer.revision


def test_a_regime_is_a_string_that_names_its_models():
    regime = name_regime([("qwen/qwen3-8b", 1_700_000_000.4), ("", None)], [700.0])

    assert parse_models(regime) == ("qwen/qwen3-8b",)
    assert regime != name_regime([("qwen/qwen3-8b", 1_700_000_900), ("", None)], [700.0])
    assert parse_models("") == parse_models("other words") == ()
