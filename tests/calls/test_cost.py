from decimal import Decimal

from modicum.calls import Basis, BucketCosts, Cost


def test_bucket_costs_add_up_to_their_total():
    costs = BucketCosts(input_uncached=Decimal("0.10"), cache_read=Decimal("0.20"), requests=Decimal("0.01"))

    assert (costs + costs).total == Decimal("0.62")


def test_an_unknown_cost_is_none_and_not_zero():
    assert Cost.unknown().usd is None
    assert Cost.unknown().basis is Basis.UNKNOWN
