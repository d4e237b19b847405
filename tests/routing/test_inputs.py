import numpy as np

from modicum.routing.inputs import read_prompts


def test_prompts_become_a_row_each_and_rows_can_be_taken():
    inputs = read_prompts(["one two", "three", "one"], np.eye(3))
    taken = inputs.take(np.array([2]))

    assert len(inputs) == 3
    assert taken.rows("words").row(0)[0].tolist() == inputs.words.row(2)[0].tolist()
    assert taken.rows("letters").width == inputs.letters.width
    assert taken.embeddings.tolist() == [[0, 0, 1]]
