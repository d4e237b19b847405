import pytest

from energy.memory.golden import held, models_of, planned


@pytest.mark.parametrize("name", models_of("deepseek_v3", "deepseek_v32", "glm_moe_dsa", "deepseek_v2", "kimi_k25"))
def test_a_plan_equals_what_transformers_holds_to_the_byte(name):
    assert planned(name) == held(name)
