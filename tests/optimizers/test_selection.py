import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum import select
from modicum.calls import UserError
from modicum.calls.prompt import tokens_by_length
from modicum.optimizers.selection import LONGEST_PASSAGE, PassageOrder, passage_spans

DOCUMENTS = [
    {"title": "Ulm", "text": "Ulm has a minster. It is tall. People climb it."},
    "Kiel lies at the sea. Its harbour is 20 metres deep. Ferries leave from there.",
    {"title": "Bread", "text": "Bread is baked.\nIt is eaten."},
]


def test_what_answers_the_question_is_kept_in_its_order_and_within_the_budget():
    chosen = select(DOCUMENTS, "How deep is the harbour of Kiel?", 18)

    assert [passage.text for passage in chosen.passages] == ["Kiel lies at the sea.", "Its harbour is 20 metres deep."]
    assert chosen.tokens <= 18
    assert chosen.left_out == 6
    assert {passage.document for passage in select(DOCUMENTS, "deep harbour", 1_000).passages} == {1}
    assert chosen.text() == "[document 2]\nKiel lies at the sea.\nIts harbour is 20 metres deep."


def test_gaps_and_titles_are_shown_and_documents_can_be_put_in_order():
    chosen = select(DOCUMENTS, "harbour ferries minster climb", 24)

    assert "[document 1: Ulm]" in chosen.text()
    assert "[...]" in chosen.text()
    best_first, best_last = chosen.text(PassageOrder.BEST_FIRST), chosen.text(PassageOrder.BEST_LAST)
    assert sorted(best_first.split("\n\n")) == sorted(best_last.split("\n\n"))
    assert best_first.split("\n\n") == best_last.split("\n\n")[::-1]
    assert (chosen.text("best_first"), chosen.text("best_last")) == (best_first, best_last)
    assert chosen.text("given") == chosen.text()
    with pytest.raises(UserError, match=r"best_last"):
        chosen.text("best")


def test_vectors_of_ones_own_count_beside_words():
    def embed(texts):
        return [(1.0, 0.0) if "baked" in text or text == "dough" else (0.0, 1.0) for text in texts]

    assert select(DOCUMENTS, "dough", 6, embed=embed).passages[0].text == "Bread is baked."
    with pytest.raises(UserError, match="embed gave 1 vector for 9 texts"):
        select(DOCUMENTS, "dough", 6, embed=lambda _: [(1.0,)])
    with pytest.raises(UserError, match="vectors of 1 and 2 numbers"):
        select(["a"], "dough", 6, embed=lambda _: [(1.0,), (1.0, 2.0)])


def test_what_can_be_no_document_or_budget_is_refused():
    with pytest.raises(UserError, match="a document is a text, or has 'title' and 'text', and this is int"):
        select([7], "x", 5)
    with pytest.raises(UserError, match="a document is a text"):
        select([{"title": "x"}], "x", 5)
    with pytest.raises(UserError, match="not -1"):
        select(DOCUMENTS, "x", -1)


@pytest.mark.parametrize("documents", ["one text", b"one text", {"title": "x", "text": "one text"}, None])
def test_one_document_that_is_in_no_list_is_not_taken_apart_into_letters(documents):
    with pytest.raises(UserError, match=rf"documents is a list of them, and this is {type(documents).__name__}; put"):
        select(documents, "x", 5)


def test_a_question_that_is_no_text_is_refused():
    with pytest.raises(UserError, match="a question is a text, and this is NoneType"):
        select(DOCUMENTS, None, 5)


def test_a_question_that_nothing_answers_is_given_the_beginning():
    chosen = select(DOCUMENTS, "zebra", 6)

    assert [passage.text for passage in chosen.passages] == ["Ulm has a minster."]
    assert select([], "zebra", 6).text() == select(DOCUMENTS, "zebra", 0).text() == ""


def test_a_megabyte_without_an_end_is_cut_too():
    text = "x" * 1_000_000

    spans = passage_spans(text)

    assert len(spans) == 500
    assert max(end - start for start, end in spans) == LONGEST_PASSAGE
    assert passage_spans("") == passage_spans(" \n ") == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=200), max_size=4), st.text(max_size=40), st.integers(0, 60))
def test_passages_are_pieces_of_their_documents_within_any_budget(documents, question, budget):
    chosen = select(documents, question, budget)

    assert sum(tokens_by_length(passage.text) for passage in chosen.passages) == chosen.tokens <= budget
    places = [(passage.document, passage.start) for passage in chosen.passages]
    assert places == sorted(set(places))
    for passage in chosen.passages:
        assert documents[passage.document][passage.start : passage.end] == passage.text
