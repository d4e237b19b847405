import json

from modicum.optimizers.repeats import REPEATS
from optimizers.test_arrival import chat, contents, sent

FILE = "The first line of a file\n" + "and more of it\n" * 60


def test_a_result_that_came_before_is_a_reference_to_the_first():
    first, other, again = contents(sent(chat([FILE, FILE + "changed", FILE]), (REPEATS,)))

    assert (first, other) == (FILE, FILE + "changed")
    assert again == (
        "[modicum: unchanged, the same text as tool result 1 above, which begins: The first line of a file]"
    )


def test_short_results_and_those_of_other_turns_stay():
    body = chat(["ok", "ok"])
    body["messages"].append({"role": "user", "content": FILE})
    body["messages"].append({"role": "user", "content": FILE})

    assert sent(body, (REPEATS,)) == json.loads(json.dumps(body))


def test_a_reference_shows_no_half_of_a_line_end():
    text = "The first line\r\n" * 60

    assert contents(sent(chat([text, text]), (REPEATS,)))[1].endswith("which begins: The first line]")
