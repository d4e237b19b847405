import base64
import hashlib

from modicum.optimizers.base64_runs import without_base64

BYTES = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(30))[:600]
BINARY = base64.b64encode(BYTES).decode()


def test_binary_data_is_a_note_and_the_rest_stays():
    edited = without_base64(f'{{"png": "data:image/png;base64,{BINARY}", "size": 3}}')

    assert edited.startswith('{"png": "data:image/png;base64,[modicum: 800 characters of base64 left out, digest ')
    assert edited.endswith('", "size": 3}')


def test_wrapped_runs_are_one_run():
    wrapped = base64.encodebytes(BYTES).decode()

    assert without_base64(f"-----\n{wrapped}-----").count("[modicum: ") == 1


def test_short_runs_digests_and_rulers_stay():
    for text in (BINARY[:200], "ab01" * 200, "A" * 1000, "GATTACA" * 100):
        assert without_base64(text) == text
