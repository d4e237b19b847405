from modicum.agents.turn import saying_digest


def test_white_space_around_a_text_and_half_characters_do_not_matter():
    assert saying_digest(" yes\n") == saying_digest("yes") != saying_digest("no")
    assert saying_digest("\ud83d")
