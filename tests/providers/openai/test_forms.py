import pytest

from modicum.providers.facts import DialectError
from modicum.providers.openai.forms import form_facts, request_fields


def test_json_and_forms_say_the_same():
    form = b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nm\r\n--b--\r\n'
    assert request_fields(form) == request_fields(b'{"model":"m"}') == {"model": "m"}
    assert form_facts(form, "/x") == form_facts(b'{"model":"m"}', "/x")
    assert form_facts(form, "/openai/deployments/d/x").model == "d"


def test_a_model_may_be_left_out_only_where_the_api_has_a_usual_one():
    assert form_facts(b"{}", "/x", "usual").model == "usual"
    for body in (b"{}", b'{"model":""}', b"--"):
        with pytest.raises(DialectError):
            form_facts(body, "/x")
