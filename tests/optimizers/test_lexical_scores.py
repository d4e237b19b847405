import pytest

from modicum.optimizers.lexical_scores import lexical_scores, words_of


def test_words_lose_english_endings_and_the_commonest_go():
    assert words_of("The tides of Kiel were rising, and stories ended.") == words_of("tide kiel rise story end")
    assert words_of("the is as us") == ["us"]


def test_scripts_without_spaces_give_pairs():
    assert words_of("潮の高さ") == ["潮の", "の高", "高さ"]
    assert words_of("潮") == ["潮"]


def test_what_says_rare_words_of_the_question_scores_highest():
    documents = [["The harbour of Kiel is deep.", "Ships sail."], ["The harbour of Ulm is small.", "The harbour."]]

    (kiel, ships), (ulm, _) = lexical_scores(documents, ["", ""], "How deep is the harbour of Kiel?")

    assert kiel == max(kiel, ships, ulm)
    assert kiel > ulm > 0


def test_surroundings_and_titles_count_and_other_documents_do_not():
    documents = [["Kiel has a harbour.", "It was built long ago."], ["It was built long ago."]]

    (_, near), (far,) = lexical_scores(documents, ["", ""], "harbour of Kiel")
    ((titled,), (plain,)) = lexical_scores([["Built long ago."], ["Built long ago."]], ["Kiel", ""], "Kiel")

    assert near > far == 0
    assert titled > plain == 0


@pytest.mark.parametrize("question", ["", "the of and", "?!", "\ud800"])
def test_a_question_without_words_scores_nothing(question):
    assert lexical_scores([["a harbour"], []], ["", ""], question) == [[0.0], []]


def test_a_long_document_is_looked_at_around_each_passage():
    passages = [f"line {number} of nothing" for number in range(2_000)]
    passages[1_000] = "the harbour of Kiel"

    (scores,) = lexical_scores([passages], [""], "harbour Kiel")

    assert scores[1_000] == max(scores)
    assert scores[995] > scores[10] == 0
