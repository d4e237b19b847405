import math
import subprocess
import sys

import pytest

from modicum.routing.text_features import MEASURES, MOST_CHARACTERS, read_text


def columns(text):
    return set(read_text(text).words[0].tolist())


def test_the_same_words_have_the_same_columns_wherever_they_stand():
    # Three words and two pairs of them; the words of a sentence that are those of another are found there.
    assert len(columns("red green blue")) == 5
    assert columns("Red") < columns("a very long beginning, and then: red!")


def test_a_word_counts_by_the_logarithm_of_how_often_it_stands():
    # Twice "a", once "b", once each of the pairs "a b" and "b a"; columns ascend, each once.
    columns, values = read_text("a b a").words

    assert sorted(values.tolist()) == pytest.approx([1, 1, 1, 1 + math.log(2)])
    assert columns.tolist() == sorted(set(columns.tolist()))


def test_features_are_the_same_in_every_process():
    program = "from modicum.routing.text_features import read_text; print(read_text('prove it').words[0].tolist())"
    runs = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }

    assert runs == {f"{read_text('prove it').words[0].tolist()}\n"}


@pytest.mark.parametrize(
    "text", ["", " ", "a", "\x00", "\ud800", "ß" * 10_000, "漢字かな", "x" * 1_000_000, "a b " * 99_999]
)
def test_any_text_has_features(text):
    features = read_text(text)

    assert len(features.measures) == len(MEASURES)
    assert len(features.words[0]) == len(features.words[1])
    assert len(features.letters[0]) <= MOST_CHARACTERS * 4


def test_a_long_prompt_is_read_at_both_ends_and_measured_whole():
    prompt = "beginning " + "filler " * 5_000 + " ending"

    assert columns("beginning") <= columns(prompt)
    assert columns("ending") <= columns(prompt)
    assert read_text(prompt).measures[0] > read_text(prompt[:20_000]).measures[0]


def test_measures_tell_code_from_prose():
    code, prose = read_text("x = (a[1] + b[2]) / 3;").measures, read_text("tell me a story of a fox").measures

    assert code[MEASURES.index("symbols")] > prose[MEASURES.index("symbols")]
    assert read_text("漢字").measures[MEASURES.index("foreign")] == 1
