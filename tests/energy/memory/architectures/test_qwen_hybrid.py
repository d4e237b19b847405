import pytest

from energy.memory.golden import held, models_of, planned


@pytest.mark.parametrize("name", models_of("qwen3_next", "qwen3_5_text", "qwen3_5_moe_text"))
def test_a_plan_equals_what_transformers_holds_to_the_byte(name):
    assert planned(name) == held(name)
