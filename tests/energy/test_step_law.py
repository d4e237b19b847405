import msgspec
import pytest

from energy.law_points import dense, made
from energy.test_attribution import law as split_law  # noqa: F401 - a fixture
from modicum.calls import UserError
from modicum.energy.step_law import StepLaw, fit_step_law, make_step_law


def test_the_law_of_a_dense_model_is_found():
    found = fit_step_law(dense())

    assert (found.per_token, found.per_step) == (pytest.approx(0.07), pytest.approx(3.1))
    assert found.mean_error == pytest.approx(0, abs=1e-6)
    assert found.batch_near_floor == pytest.approx(9 * 3.1 / 0.07 / 0.9, rel=0.2)
    assert found.joules_per_token(found.batch_near_floor) == pytest.approx(1.1 * 0.07)


def test_published_measurements_of_an_8b_model_fit_within_a_few_per_cent():
    # ML.ENERGY v3: Llama-3.1-8B, one H100: 0.455 J at batch 8, 0.119 at 64, 0.070 at its floor.
    found = fit_step_law([made(8, 0.455), made(64, 0.119), made(512, 0.070)])

    assert [found.joules_per_token(batch) for batch in (8, 64, 512)] == pytest.approx([0.455, 0.119, 0.070], rel=0.06)
    # About 0.2 J per GB of 16-bit weights.
    assert found.per_step / 16.06 == pytest.approx(0.2, abs=0.02)


def test_experts_add_a_term_that_saturates():
    share = 8 / 128
    points = [made(b, 0.08 + (1.0 + 9.0 * (1 - (1 - share) ** b)) / b) for b in (1, 2, 4, 8, 16, 64, 256)]

    found = fit_step_law(points, share)

    assert (found.per_token, found.per_step, found.per_step_experts) == pytest.approx((0.08, 1.0, 9.0), rel=1e-3)


def test_two_prompt_lengths_make_the_prompt_a_term_of_its_own():
    points = [
        made(b, 0.07 + 3.1 / b + 0.02 * prompt / 128, prompt=prompt)
        for b in (1, 4, 16, 64)
        for prompt in (128.0, 2048.0)
    ]

    assert fit_step_law(points).per_prompt_token == pytest.approx(0.02)
    assert fit_step_law(dense()).per_prompt_token is None


def test_too_few_batches_are_refused():
    with pytest.raises(UserError, match="at 3 or more values of concurrency; there are 2"):
        fit_step_law(dense((1, 8)))


def test_a_split_gives_the_law_above_idle(split_law):  # noqa: F811 - the fixture
    found = make_step_law(split_law)

    assert found.includes_idle is False
    assert found.per_step == pytest.approx(2.6, rel=0.05)


def test_a_split_without_its_step_gives_none(split_law):  # noqa: F811 - the fixture
    blind = msgspec.structs.replace(split_law.per_step, value=None, reason="because")

    with pytest.raises(UserError, match="per step is not known, because"):
        make_step_law(msgspec.structs.replace(split_law, per_step=blind))


def test_no_floor_without_a_part_per_token():
    assert StepLaw(per_token=0.0, per_step=3.0).batch_near_floor is None
    assert StepLaw(per_token=1.0, per_step=0.01).batch_near_floor == 1.0
