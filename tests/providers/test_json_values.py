import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.providers.json_values import decoded, mended, tolerant


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb'"a \ud83d b"', "a \ufffd b"),
        (rb'"\ude00"', "\ufffd"),
        (rb'"\uD83D\uDE00"', "\U0001f600"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"C:\\ud83d"', r"C:\ud83d"),
        (rb'"\"\ud83d\""', '"\ufffd"'),
    ],
)
def test_halves_of_characters_are_replaced_and_nothing_else(body, text):
    assert msgspec.json.decode(mended(body)) == text


@given(st.text(), st.booleans())
def test_whole_characters_stay_as_they_are(text, escaped):
    assert json.loads(mended(json.dumps(text, ensure_ascii=escaped).encode())) == text


@given(st.text(st.characters(categories=["Cs", "Lu"])))
def test_whatever_python_writes_is_read_once_it_is_mended(text):
    read = msgspec.json.decode(mended(json.dumps(text).encode()))

    assert list(filter(str.isupper, read)) == list(filter(str.isupper, text))


@given(st.text(st.characters(categories=["Cs", "Lu"])))
def test_what_is_decoded_can_be_encoded_again(text):
    json.dumps(decoded(json.dumps({text: [text]})), ensure_ascii=False).encode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_document_may_be_in_any_encoding_that_its_first_bytes_tell(encoding):
    assert decoded('{"a": "é"}'.encode(encoding)) == {"a": "é"}


def test_raw_halves_are_no_utf8():
    with pytest.raises(UnicodeDecodeError):
        decoded(b'"\xed\xa0\x80"')


def test_a_typed_decoder_takes_halves_and_still_refuses_what_is_wrong():
    decode = tolerant(msgspec.json.Decoder(dict[str, int]).decode)

    assert decode(rb'{"\ud83d": 1}') == {"\ufffd": 1}
    with pytest.raises(msgspec.ValidationError):
        decode(rb'{"\ud83d": "x"}')
    with pytest.raises(msgspec.DecodeError):
        decode(b"{")
