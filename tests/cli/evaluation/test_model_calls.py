import pytest

from cli.evaluation.mock_server import mock_server
from modicum.calls import UserError
from modicum.cli.evaluation.model_calls import CallFailed, ModelCaller, check_price
from modicum.metering.prices import PriceBook


def test_a_call_costs_no_more_than_its_worst_case():
    with mock_server(lambda *_: "four") as (url, _):
        caller = ModelCaller(url, PriceBook(None), most_tokens=10)
        reply = caller.send("gpt-4o-mini", "2 + 2?")

    assert reply.text == "four"
    assert 0 < reply.cost_usd <= caller.worst_usd("gpt-4o-mini", "2 + 2?")


@pytest.mark.parametrize(("status", "is_final"), [(404, True), (429, False), (500, False)])
def test_a_refusal_is_not_billed_and_says_whether_it_lasts(status, is_final):
    with mock_server(lambda *_: status) as (url, _), pytest.raises(CallFailed) as failed:
        ModelCaller(url, PriceBook(None)).send("gpt-4o-mini", "a")

    assert (failed.value.is_billed, failed.value.is_final) == (False, is_final)


def test_no_answer_may_have_been_billed():
    with pytest.raises(CallFailed) as failed:
        ModelCaller("http://127.0.0.1:9/v1", PriceBook(None)).send("gpt-4o-mini", "a")

    assert failed.value.is_billed


def test_a_model_without_a_price_fits_no_budget():
    with pytest.raises(UserError, match="the price of 'nobodys' is not known"):
        check_price(ModelCaller("http://127.0.0.1:9/v1", PriceBook(None)), "nobodys")
