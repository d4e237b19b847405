from modicum.governance.energy_rate import EnergyRate

RATE = EnergyRate(model="llama-*", per_computed=10_000_000, per_cached=1_000_000, per_generated=500_000_000, per_call=1)


def test_tokens_draw_what_their_rate_says_rounded_up_once():
    assert RATE.millijoules(calls=0, computed=3, cached=7, generated=2) == 1037
    assert RATE.millijoules(calls=1, computed=0, cached=0, generated=0) == 1
    assert RATE.millijoules(calls=3_000_000, computed=0, cached=0, generated=0) == 3


def test_at_most_every_token_of_the_prompt_is_the_dearest_and_read_in_each_round():
    assert RATE.most_millijoules(100, 10, 1) == 6001
    assert RATE.most_millijoules(100, 10, 3) == 8001
