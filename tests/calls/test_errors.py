from modicum.calls.errors import accepted_are, unknown_name


def test_an_unknown_name_is_answered_with_the_names_there_are():
    error = unknown_name("finding", "ttl", ["ttl_expiry", "loops"], "; or leave it out")

    assert str(error) == "there is no finding 'ttl'; accepted are ttl_expiry, loops; or leave it out"


def test_what_was_typed_is_shortened_and_an_empty_list_says_so():
    assert len(str(unknown_name("model", "x" * 1000, []))) < 200
    assert accepted_are([]) == "there are none yet"
