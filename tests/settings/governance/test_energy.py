import pytest

from modicum.calls import UserError
from modicum.governance.budgets import LimitUnit
from modicum.settings import EnergySettings, budgets_of, read_settings
from modicum.settings.governance.energy import energy_fault, energy_rates_of

GOOD = {"model": "llama-*", "joules_per_prompt_token": 0.01, "joules_per_generated_token": 0.5}


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"model": ""}, "model"),
        ({"joules_per_prompt_token": -1.0}, "joules_per_prompt_token"),
        ({"joules_per_cached_token": float("nan")}, "joules_per_cached_token"),
        ({"joules_per_generated_token": float("inf")}, "joules_per_generated_token"),
        ({"joules_per_call": 1e30}, "joules_per_call"),
        ({"joules_per_prompt_token": 0.0, "joules_per_generated_token": 0.0}, "joules_per_generated_token"),
    ],
)
def test_the_setting_that_is_wrong_is_named(fields, key):
    assert energy_fault([EnergySettings(**GOOD), EnergySettings(**(GOOD | fields))])[:2] == (1, key)


def test_cached_tokens_draw_as_much_as_others_unless_it_is_said():
    plain, said = energy_rates_of(
        [EnergySettings(**GOOD), EnergySettings(**GOOD, joules_per_cached_token=0.0, joules_per_call=2.0)]
    )

    assert (plain.per_computed, plain.per_cached, plain.per_generated, plain.per_call) == (10**7, 10**7, 5 * 10**8, 0)
    assert (said.per_cached, said.per_call) == (0, 2 * 10**9)


def test_budgets_in_joules_have_the_rates_and_the_file_says_where_it_is_wrong(tmp_path):
    path = tmp_path / "modicum.toml"
    text = '[[budget]]\nname = "rack"\nper = "day"\nlimit_joules = 2.5e6\n\n[[energy]]\nmodel = "llama-*"\n'
    path.write_text(f"{text}joules_per_prompt_token = 0.01\njoules_per_generated_token = 0.5\n")
    settings = read_settings({"MODICUM_CONFIG": str(path)})
    (budget,) = budgets_of(settings.budget, "", settings.energy)

    assert (budget.unit, budget.limit, budget.energy[0].model) == (LimitUnit.JOULES, 2_500_000_000, "llama-*")

    path.write_text(f"{text}joules_per_prompt_token = -1\njoules_per_generated_token = 0.5\n")
    with pytest.raises(UserError, match=r"modicum.toml:8: energy of 'llama-\*': joules_per_prompt_token must be"):
        read_settings({"MODICUM_CONFIG": str(path)})
