import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.metering.quotes import AROUND, SOON, Speech

LINES = [f"value{number} = step_{number}(alpha beta gamma delta{number})" for number in range(40)]
TEXT = "\n".join(LINES)
LATE = SOON + 10


def share(*said, text=TEXT, before=(), asked="", is_call=False):
    """Of a text that came after `before` and at the place of which `said` was said much later."""
    speech = Speech()
    for place, words in enumerate(before, -len(before)):
        speech.say(words, place)
    for place, words in enumerate(said, LATE):
        speech.say(words, place, is_call=is_call)
    return round(speech.read_share(text, 0, asked) * 40) if text == TEXT else speech.read_share(text, 0, asked)


def test_a_name_that_is_new_marks_its_line_and_those_around_it():
    assert share("The bug is in step_20.") == 2 * AROUND + 1
    assert share("nothing of the sort") == 0


def test_a_name_that_was_known_marks_a_line_only_when_it_is_said_again_soon():
    assert share("again step_20", before=["look at step_20"]) == 0
    speech = Speech()
    speech.say("look at step_20", -1)
    speech.say("so step_20 it is", SOON)
    assert speech.read_share(TEXT, 0) > 0


def test_what_was_said_before_alone_marks_nothing():
    assert share(before=[TEXT]) == 0


def test_four_words_in_a_row_are_a_quote_wherever_they_were_said_before():
    quote = "call it with (alpha beta gamma delta9)"

    assert share(quote, before=[quote]) == 2 * AROUND + 1
    assert share("alpha beta gamma") == 0


def test_an_edit_quotes_its_old_text_through_the_escapes_of_json():
    edit = '{"file_path":"/src/a.py","old_string":"value5 = step_5(alpha beta gamma delta5)\\nvalue6 = step_6"}'

    assert share(edit, is_call=True) == 2 * AROUND + 2


def test_every_word_of_a_short_call_is_a_name_and_plain_words_of_prose_are_none():
    text = "\n".join(["the parser", *["-"] * 50])

    assert share('{"pattern":"parser"}', text=text, is_call=True) > 0
    assert share("the parser", text=text) == 0
    assert share("the `parser`", text=text) > 0


def test_a_path_is_one_name():
    text = "\n".join(["orders/handler.py:12: order", *["-"] * 50])

    assert share("see orders/handler.py:12", text=text, before=["orders", "handler"]) > 0


def test_a_file_that_is_named_again_was_read_though_nothing_was_quoted():
    call = 'Read\n{"file_path":"/src/a.py"}'

    assert share('{"file_path":"/src/a.py","line":12,"new":"x"}', asked=call, is_call=True) == 40
    assert share('{"file_path":"/src/b.py","line":12,"new":"x"}', asked=call, is_call=True) == 0
    assert share('{"folder":"/src/a"}', asked='List\n{"folder":"/src/a"}', is_call=True) == 0  # folders always are


def test_what_a_client_writes_into_a_result_for_the_model_counts_as_read():
    text = "step_1\n" + "-\n" * 50 + "<system-reminder>\nBe careful.\n</system-reminder>"
    without = share("step_1", text=text.replace("system-", "system_"))

    assert share("step_1", text=text) == pytest.approx(without + 49 / (len(text) + 1))
    assert share("nothing", text=text) == pytest.approx(49 / (len(text) + 1))


def test_one_field_of_a_long_line_does_not_stand_for_all_of_it():
    row = ",".join(f'{{"id":"k{number}x","size":{number}}}' for number in range(1000))

    assert 0 < share("take k500x", text=row) < 0.1


def test_scripts_without_spaces_are_compared_character_by_character():
    text = "\n".join(["注文の合計を計算する", *["-"] * 50])

    assert share("ここで合計を計算します", text=text) > 0
    assert share("ここで終わります", text=text) == 0


@given(st.text(), st.lists(st.tuples(st.text(), st.booleans())))
def test_whatever_is_said_the_share_is_one_and_a_text_said_again_in_whole_is_read(text, said):
    speech = Speech()
    for place, (words, is_call) in enumerate(said):
        speech.say(words, place, is_call=is_call)

    assert 0.0 <= speech.read_share(text, 0) <= 1.0


def test_a_text_said_again_in_whole_was_read_in_whole():
    assert share("so:\n" + TEXT) == 40


@given(st.text(st.sampled_from("ab_1 .:/→é─\n-`X")), st.text(st.sampled_from("ab_1 .:/→é─\n-`X")))
def test_signs_beyond_ascii_that_are_no_words_change_nothing(said, text):
    assert share(said, text=text) == share(said.replace("→", "?").replace("─", "?"), text=text.replace("→", "─"))
