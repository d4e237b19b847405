from types import SimpleNamespace

import pytest

from modicum.gateway.cascades.gone_models import GONE_FOR_S, GoneModelMemory, is_model_gone
from modicum.routing.rule import GoneModels


def test_a_model_is_gone_for_a_while_and_then_tried_again(capsys):
    now = [0.0]
    memory = GoneModelMemory(lambda: now[0])
    assert memory.facts() == ()

    memory.remember("m")
    now[0] = GONE_FOR_S - 1
    assert memory.facts() == (GoneModels(frozenset({"m"})),)
    now[0] = GONE_FOR_S
    assert memory.facts() == ()


@pytest.mark.parametrize(
    ("status", "kind", "gone"),
    [(404, "", True), (400, "model_not_found", True), (400, "invalid_request_error", False), (200, "", False)],
)
def test_what_an_answer_says_of_the_model(status, kind, gone):
    exchange = SimpleNamespace(answer=SimpleNamespace(status=status), reply=SimpleNamespace(error_kind=kind))

    assert is_model_gone(exchange) is gone
    assert is_model_gone(SimpleNamespace(answer=None, reply=None)) is False
