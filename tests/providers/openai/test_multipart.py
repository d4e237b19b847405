from contextlib import suppress

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.providers.facts import DialectError
from modicum.providers.openai.multipart import form_parts, form_texts, is_form, with_field


def form(files=(), **fields):
    """As a client writes it."""
    sent = httpx2.Request(
        "POST", "http://x", data=fields, files=files or {"file": ("a.mp3", b"\r\n--no\r\n", "audio/mpeg")}
    )
    return sent.read()


def test_short_fields_are_read_and_files_are_not():
    body = form(model="whisper-1", prompt="a" * 5000)

    assert is_form(body)
    assert not is_form(b"{}")
    assert form_texts(body) == {"model": "whisper-1"}
    assert [(part.name, part.is_file) for part in form_parts(body)] == [
        ("model", False),
        ("prompt", False),
        ("file", True),
    ]


def test_a_field_is_changed_and_all_other_bytes_stay():
    body = form(model="whisper-1")

    changed = with_field(body, "model", "gpt-4o-transcribe")

    assert form_texts(changed)["model"] == "gpt-4o-transcribe"
    assert changed.replace(b"gpt-4o-transcribe", b"whisper-1") == body
    added = with_field(body, "language", "en")
    assert form_texts(added) == {"model": "whisper-1", "language": "en"}
    assert added.endswith(body)


@pytest.mark.parametrize(
    "body",
    [
        b"--",
        b"--x\r\n",
        b"--x\r\n\r\n",
        b"--x\r\ncontent-disposition: form-data; name=a\r\n\r\n1",
        b"--x\r\n\r\n1\r\n" * 2000,
        form(files=[("model", ("m", b"gpt-5"))]),
        form(files=[("MODEL", (None, b"gpt-5"))]),
        form(files=[("model", (None, b"a")), ("model", (None, b"b"))]),
    ],
)
def test_what_is_no_form_or_names_its_model_twice_is_refused(body):
    with pytest.raises(DialectError) as refused:
        form_texts(body)
    assert refused.value.status == 400


@given(at=st.integers(0, 1 << 12), length=st.integers(0, 60), instead=st.binary(max_size=20))
def test_a_mutated_form_raises_nothing_but_dialect_errors(at, length, instead):
    body = form(model="m")
    at %= len(body)
    with suppress(DialectError):
        assert isinstance(form_texts(body[:at] + instead + body[at + length :]), dict)
