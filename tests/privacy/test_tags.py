from hypothesis import given
from hypothesis import strategies as st

from modicum.privacy.tags import LOOKED_AT, is_redacted, is_reserved, seen_in, seen_tags

counts = st.dictionaries(st.sampled_from(["email", "jwt", "iban"]), st.integers(1, 1000))


def test_counts_of_several_texts_are_summed():
    assert seen_tags([{"email": 2}, {}, {"email": 1, "jwt": 1}]) == {"seen.email": "3", "seen.jwt": "1"}


@given(counts)
def test_what_was_written_is_read_back_and_is_reserved(found):
    tags = seen_tags([found])

    assert seen_in(tags | {"team": "3", LOOKED_AT: "all"}) == found
    assert all(map(is_reserved, tags))


def test_what_is_no_count_is_none_and_other_tags_are_free():
    assert seen_in({"seen.email": "many", "seen.jwt": "٣"}) == {}
    assert is_reserved(LOOKED_AT)
    assert not is_reserved("seenby")


def test_values_of_a_kind_did_not_leave_where_the_tags_say_so():
    tags = {"seen.email": "1", "seen.jwt": "1", "redacted.email": "1"}

    assert [is_redacted(tags, kind) for kind in ("email", "jwt")] == [True, False]
