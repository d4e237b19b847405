from modicum.calls.words.counted_nouns import noun_for, number_of


def test_a_noun_agrees_with_its_number():
    assert [number_of(number, "call") for number in (0, 1, 2, 1234)] == ["0 calls", "1 call", "2 calls", "1,234 calls"]
    assert [number_of(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]


def test_a_verb_agrees_too():
    assert [noun_for(number, "is", "are") for number in (0, 1, 2)] == ["are", "is", "are"]
