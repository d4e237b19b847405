import pytest

from modicum.calls import EnergyWindow
from modicum.calls.energy_window import name_regime
from modicum.insights.budgets.measured_rates import measure_rates

REGIME = name_regime([("llama-70b", 1.0)], [700.0])


def window(number, prompt, generated, joules=None, regime=REGIME, cached=None):
    return EnergyWindow(
        started=1000.0 * number,
        seconds=10.0,
        gpus=("0",),
        servers=("http://rack:8000",),
        joules=0.02 * prompt + 0.5 * generated if joules is None else joules,
        counted=True,
        generated_tokens=generated,
        prompt_tokens=prompt + (cached or 0),
        cached_tokens=cached,
        steps=None,
        running_seconds=10.0,
        busy_seconds=10.0,
        regime=regime,
    )


def mixed():
    return [window(number, 1000.0 * (number % 3), 100.0 + 50 * (number % 4), cached=500.0) for number in range(8)]


def test_tokens_of_all_windows_together_come_to_what_was_measured():
    (plain,) = measure_rates(mixed())
    (idle,) = measure_rates([*mixed(), window(9, 0.0, 0.0, joules=plain.joules)])

    assert (plain.joules_per_prompt_token, plain.joules_per_generated_token) == pytest.approx((0.02, 0.5))
    assert plain.mean_error == pytest.approx(0)
    assert idle.joules_per_generated_token == pytest.approx(1.0)  # as much again was drawn while nothing was served


def test_what_cannot_be_told_has_a_reason_and_no_figure():
    (few,) = measure_rates(mixed()[:3])
    (alike,) = measure_rates([window(number, 0.0, 100.0) for number in range(8)])

    assert (few.joules_per_generated_token, "only 3 of its windows" in few.reason) == (None, True)
    assert (alike.joules_per_prompt_token, "do not tell" in alike.reason) == (None, True)


def test_models_that_share_a_server_are_left_out():
    both = name_regime([("llama-70b", 1.0), ("qwen", 1.0)], [700.0])

    assert measure_rates([window(number, 10.0, 10.0, regime=both) for number in range(8)]) == []
