from modicum.energy.memory.blueprint import Parameters
from modicum.energy.memory.catalogue import find_blueprint


def test_a_token_passes_its_share_of_the_routed_experts():
    parameters = Parameters(shared=100, routed=720, experts=72, experts_per_token=10)

    assert (parameters.total, parameters.active) == (820, 200)


def test_recurrent_layers_are_told_apart():
    assert len(find_blueprint("granite-4.0-h-small").recurrences) == 36
