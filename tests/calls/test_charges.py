from decimal import Decimal

from modicum.calls import ChargedUnit, Charges


def test_units_of_which_there_are_none_are_left_out_and_caveats_are_named_once():
    charges = Charges.of(caveats=["usage.new", "usage.new"], requests={"web_search": 0, "file_search": 2})

    assert charges == Charges({"file_search": 2}, "", ("usage.new",))


def test_every_kind_of_search_is_a_web_search():
    counted = {ChargedUnit.WEB_SEARCH: 1, ChargedUnit.SEARCH_QUERY: 3, ChargedUnit.FILE_SEARCH: 9}

    assert Charges.of(requests=counted).web_searches == 4


def test_caveats_join_those_that_are_there():
    charges = Charges(region="us", caveats=("a",), provider_cost_usd=Decimal(1))

    assert charges.with_caveats("b", "a") == Charges(region="us", caveats=("a", "b"), provider_cost_usd=Decimal(1))
    assert charges.with_caveats() is charges
