import pytest

from energy.memory.golden import held, models_of, planned


@pytest.mark.parametrize(
    "name", models_of("llama", "mistral", "qwen2", "qwen3", "phi3", "olmo2", "olmo3", "smollm3", "cohere2")
)
def test_a_plan_equals_what_transformers_holds_to_the_byte(name):
    assert planned(name) == held(name)
