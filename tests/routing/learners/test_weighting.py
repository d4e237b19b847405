from modicum.routing.inputs import read_prompts
from modicum.routing.learners.weighting import rarity


def test_rare_words_weigh_more_and_unique_ones_nothing():
    rows = read_prompts([f"the cat {number}" if number % 2 else f"the dog{number}" for number in range(20)]).words
    weights = rarity(rows)
    of = {word: weights[read_prompts([word]).words.columns[0]] for word in ("the", "cat", "dog4")}

    assert of["cat"] > of["the"] > 0
    assert of["dog4"] == 0
