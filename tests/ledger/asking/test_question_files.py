import pytest

from modicum.ledger.asking.question_files import prepare, question_text, without_comments


def test_a_question_binds_what_it_asks_for_and_nothing_else():
    text, bound = prepare("edits", {"since": 1, "until": 2, "by": "model"})

    assert text == without_comments(question_text("edits"))
    assert bound == {"since": 1, "until": 2}


def test_what_was_not_given_is_named():
    with pytest.raises(KeyError, match="until"):
        prepare("edits", {"since": 1})


def test_names_in_comments_are_no_parameters():
    assert "$tag" in question_text("bill") or "$by" in question_text("bill")
    assert without_comments("SELECT 1 -- of $by\nFROM x") == "SELECT 1 \nFROM x"


def test_a_question_that_is_none_is_an_error():
    with pytest.raises(FileNotFoundError):
        question_text("nothing")
