from hypothesis import given
from hypothesis import strategies as st

from modicum.providers.translation.thought_signatures import id_and_signature, id_with


@given(st.binary(min_size=1, max_size=60))
def test_a_signature_travels_in_an_id_that_any_api_takes(data):
    import base64

    signature = base64.b64encode(data).decode()
    carried = id_with("call_1", signature)
    assert carried.replace("-", "").replace("_", "").isalnum()
    assert id_and_signature(carried) == ("call_1", signature)


def test_an_id_without_one_stays_as_it_is():
    assert id_with("call_1", "") == id_with("call_1", "no base64!") == "call_1"
    assert id_and_signature("call_1") == ("call_1", "")
    assert id_and_signature("call_1__thought__") == ("call_1__thought__", "")
