from hypothesis import given
from hypothesis import strategies as st

from modicum.metering.digests import Digester


@given(st.text(), st.text())
def test_equal_texts_share_a_digest_and_others_do_not(one, other):
    digest = Digester(b"key").digest

    assert (digest(one) == digest(other)) == (one == other)
    assert len(digest(one)) == 16


def test_another_key_gives_another_digest():
    assert Digester(b"a").digest("text") != Digester(b"b").digest("text")


def test_half_of_a_surrogate_pair_as_logs_hold_them_is_digested():
    assert len(Digester(b"a").digest("\ud83d")) == 16
