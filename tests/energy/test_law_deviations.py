import numpy as np
import pytest

from modicum.energy.block_fit import BlockDesign
from modicum.energy.law_deviations import find_deviations
from modicum.energy.window_cutter import Interval

COUNT = 160


def seen(change=lambda joules, _: joules, seed=1):
    """Deviations of windows that follow a law but for `change`."""
    rng = np.random.default_rng(seed)
    windows = []
    for number in range(COUNT):
        steps, batch = float(rng.integers(200, 700)), float(rng.uniform(2, 50))
        window = Interval(
            start=6.0 * number, end=6.0 * number + 6, joules=0.0, generated_tokens=steps * batch,
            prompt_tokens=float(rng.integers(0, 20_000)), cached_tokens=0.0, steps=steps,
            running_seconds=batch * 6 * rng.uniform(0.9, 1.1), busy_seconds=6.0, waiting=0.0,
        )  # fmt: skip
        windows.append(window)
    columns = np.array([(w.seconds, w.steps, w.prompt_tokens, w.generated_tokens) for w in windows])
    joules = columns @ [75.0, 2.6, 0.02, 0.055]
    joules = np.array([change(one, window) for one, window in zip(joules, windows, strict=True)])
    joules *= 1 + 0.005 * rng.normal(size=COUNT)
    starts = np.array([window.start for window in windows])
    law = BlockDesign(columns, joules, starts, (), 16).fit([0, 1, 2, 3])
    return find_deviations(windows, columns, joules, (), law)


def test_windows_that_follow_the_law_show_nothing():
    assert sum(bool(seen(seed=seed).deviations) for seed in range(20)) <= 1


@pytest.mark.parametrize(
    ("change", "name", "voids"),
    [
        (lambda joules, window: joules * (1 + 0.1 * window.start / 960), "drift", False),
        (lambda joules, window: joules + 60 * 6 * window.start / 960, "idle drift", False),
        (lambda joules, window: joules * (1 - 0.004 * window.running_seconds / 6), "load", True),
        (
            lambda joules, window: joules + 0.8 * window.steps * np.sqrt(window.generated_tokens / window.steps),
            "batch",
            True,
        ),
    ],
)
def test_each_way_is_named_and_only_those_with_the_load_void_the_terms(change, name, voids):
    found = seen(change)

    assert name in {one.name for one in found.deviations}
    assert any(one.voids_terms for one in found.deviations) is voids
    assert all(one.explanation and one.advice for one in found.deviations)
    assert len(found.columns) == len([one for one in found.deviations if one.name != "negative"])


def test_work_that_seems_to_give_energy_back_is_no_law():
    found = seen(lambda joules, window: joules - 0.08 * window.generated_tokens)

    negative = next(one for one in found.deviations if one.name == "negative")
    assert negative.voids_terms
