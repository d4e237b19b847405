import pytest

from experiments.samples import KEY, START, experiment
from modicum.calls import UserError
from modicum.experiments.experiment import Arm, ChangeKind, check_experiment


def test_tasks_are_drawn_by_the_share_and_always_alike():
    one = experiment(hold_out=0.2)
    arms = [one.arm_of(f"t{number}", KEY) for number in range(5000)]

    assert arms == [experiment(hold_out=0.2).arm_of(f"t{number}", KEY) for number in range(5000)]
    assert 900 < arms.count(Arm.HOLD_OUT) < 1100


def test_another_key_another_experiment_and_another_start_draw_anew():
    def drawn(one, key=KEY):
        return [one.arm_of(f"t{number}", key) for number in range(100)]

    first = drawn(experiment())
    assert first != drawn(experiment(), b"other")
    assert first != drawn(experiment(name="another"))
    assert first != drawn(experiment(started_at=START.replace(year=2027)))


def test_a_model_experiment_is_about_the_models_that_fit():
    assert experiment(subject="gpt-4o*").is_about("gpt-4o-2024")
    assert not experiment(subject="gpt-4o").is_about("gpt-4o-mini")
    assert not experiment(kind=ChangeKind.RULE, subject="gpt-4o").is_about("gpt-4o")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": "a b"}, "letters, digits"),
        ({"name": "é"}, "letters, digits"),
        ({"name": "x" * 61}, "at most 60"),
        ({"outcome": ""}, "needs what it is about"),
        ({"to": ""}, "--to MODEL"),
        ({"to": "gpt-4o"}, "--to MODEL"),
        ({"margin": 0.0}, "margin is 0"),
        ({"margin": 5.0}, "0.05 is 5 points"),
        ({"hold_out": 0.0}, "hold-out is 0"),
        ({"hold_out": 1.0}, "0.01 to 0.99"),
        ({"settle_s": -1.0}, "cannot be negative"),
    ],
)
def test_what_cannot_be_run_is_refused_with_what_is_accepted(fields, why):
    with pytest.raises(UserError, match=why):
        check_experiment(experiment(**fields))


def test_a_right_one_passes():
    check_experiment(experiment())
