import pytest

from modicum.optimizers.meaning.word_pieces import LONGEST_WORD, WordPieces
from optimizers.meaning.small_model import WORDS

PIECES = WordPieces(WORDS)


def words(text, most=20):
    return [WORDS[number] for number in PIECES.numbers(text, most)]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("The capital of Nigeria?", ["the", "capital", "of", "niger", "##ia", "?"]),
        ("Nigerian", ["[UNK]"]),
        ("un\u200bable", ["un", "##able"]),
        ("Café", ["cafe"]),
        ("中中the", ["中", "中", "the"]),
        ("un" + "able" * LONGEST_WORD, ["[UNK]"]),
        ("", []),
        (" \x00 \n", []),
        ("\ud800", []),
    ],
)
def test_a_text_is_cut_into_pieces_of_the_vocabulary(text, pieces):
    assert words(text) == ["[CLS]", *pieces, "[SEP]"]


def test_a_long_text_ends_where_no_more_is_read():
    assert words("the " * 50, most=6) == ["[CLS]", "the", "the", "the", "the", "[SEP]"]


def test_a_list_of_words_is_no_vocabulary():
    with pytest.raises(KeyError):
        WordPieces(["the", "capital"])
