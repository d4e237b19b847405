from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Basis

bases = st.sampled_from(Basis)


@given(bases, bases)
def test_a_sum_is_known_by_its_weaker_part(one, other):
    assert one | other == other | one
    assert one | Basis.EXACT == one
    assert one | Basis.UNKNOWN == Basis.UNKNOWN
