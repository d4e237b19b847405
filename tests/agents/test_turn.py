from modicum.agents.turn import digest_saying


def test_white_space_around_a_text_and_half_characters_do_not_matter():
    assert digest_saying(" yes\n") == digest_saying("yes") != digest_saying("no")
    assert digest_saying("\ud83d")
