from hypothesis import given
from hypothesis import strategies as st

from modicum.providers.opentelemetry.span_tree import above, standing

TREE = {"agent": "", "framework": "agent", "http": "framework", "client": "http"}


def test_of_two_inside_each_other_the_inner_one_stands():
    assert standing({"framework", "client"}, {"framework", "client"}, TREE) == {"client"}


def test_the_outer_one_stands_where_only_it_knows_its_tokens():
    assert standing({"framework", "client"}, {"framework"}, TREE) == {"framework"}


def test_what_is_not_in_the_tree_stands():
    assert standing({"other"}, {"other"}, TREE) == {"other"}


def test_a_circle_has_nothing_above():
    assert above("a", {"a": "b", "b": "a"}) == set()


SPANS = st.sampled_from("abcdefgh")


@given(st.dictionaries(SPANS, SPANS), st.sets(SPANS), st.data())
def test_of_what_stands_nothing_known_is_above_another(tree, spans, data):
    known = {span for span in spans if data.draw(st.booleans())}
    stood = standing(spans, known, tree)

    assert stood <= spans
    assert not any(above(span, tree) & stood & known for span in stood & known)
