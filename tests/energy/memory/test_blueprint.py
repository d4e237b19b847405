from modicum.energy.memory.blueprint import KeyValue, Parameters
from modicum.energy.memory.catalogue import find_blueprint


def test_a_token_passes_its_share_of_the_routed_experts():
    parameters = Parameters(shared=100, routed=720, experts=72, experts_per_token=10)

    assert (parameters.total, parameters.active) == (820, 200)


def test_larger_batches_touch_more_experts_up_to_all():
    parameters = Parameters(shared=100, routed=720, experts=72, experts_per_token=10)

    assert round(parameters.read_per_step(1)) == 200
    assert 200 < parameters.read_per_step(4) < parameters.read_per_step(64) < 820
    assert round(parameters.read_per_step(1000)) == 820


def test_a_dense_model_reads_all_its_weights_at_any_batch():
    assert Parameters(50).read_per_step(8) == 50


def test_keys_and_values_of_all_heads_are_kept():
    assert KeyValue(kv_heads=8, key_dim=128, value_dim=128).elements_per_token == 2048


def test_recurrent_layers_are_told_apart():
    assert len(find_blueprint("granite-4.0-h-small").recurrences) == 36
