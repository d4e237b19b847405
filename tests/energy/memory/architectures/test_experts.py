import pytest

from energy.memory.golden import held, models_of, planned


@pytest.mark.parametrize("name", models_of("mixtral", "qwen3_moe", "minimax_m2", "gpt_oss", "qwen2_moe", "glm4_moe"))
def test_a_plan_equals_what_transformers_holds_to_the_byte(name):
    assert planned(name) == held(name)
