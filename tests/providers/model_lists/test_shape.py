import pytest

from modicum.providers.model_lists.shape import MODEL_LIST, ListedModel


def test_a_list_is_read_and_written():
    (model,) = MODEL_LIST.read(b'{"data":[{"id":"gpt-5","created":7,"owned_by":"openai"},{"id":null},3]}')
    assert (model.name, model.created_s) == ("gpt-5", 7)
    assert MODEL_LIST.renamed("fast", model) == {"id": "fast", "created": 7, "owned_by": "openai"}
    assert MODEL_LIST.one("fast", model, "google")["owned_by"] == "google"
    assert MODEL_LIST.whole([{"id": "a"}]) == {"object": "list", "data": [{"id": "a"}]}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data":{}}', b'{"data":[{"id":{}}]}'])
def test_what_is_no_list_holds_nothing(body):
    assert MODEL_LIST.read(body) == []


def test_a_time_that_is_none_is_0():
    assert MODEL_LIST.created_s({"created": True}) == MODEL_LIST.created_s({"created": "x"}) == 0
    assert MODEL_LIST.one("a", ListedModel("a", {}))["owned_by"] == "modicum"
