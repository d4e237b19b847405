from decimal import Decimal

from modicum.cli.inputs.saved_answers import MOST_ANSWERS, answer_name, recall_answer, save_answer


def test_an_answer_comes_back_as_it_was(tmp_path):
    folder = tmp_path / "answers"
    save_answer(folder, "one", (Decimal("876.74344515"), [1.5, None]))

    assert recall_answer(folder, "one", tuple[Decimal, list[float | None]]) == (Decimal("876.74344515"), [1.5, None])
    assert recall_answer(folder, "two", tuple[Decimal, list[float | None]]) is None


def test_an_answer_of_another_form_is_none(tmp_path):
    save_answer(tmp_path, "one", {"a": 1})
    (tmp_path / "torn").write_bytes(b"\x93\x01")

    assert recall_answer(tmp_path, "one", list[int]) is None
    assert recall_answer(tmp_path, "torn", list[int]) is None


def test_only_the_last_answers_stay(tmp_path):
    for number in range(MOST_ANSWERS + 3):
        save_answer(tmp_path / "answers", str(number), number)

    assert len(list((tmp_path / "answers").iterdir())) == MOST_ANSWERS
    assert recall_answer(tmp_path / "answers", str(MOST_ANSWERS + 2), int) == MOST_ANSWERS + 2


def test_a_folder_that_cannot_be_made_costs_nothing_but_time(tmp_path):
    (tmp_path / "file").write_text("")

    save_answer(tmp_path / "file" / "answers", "one", 1)


def test_names_differ_where_what_they_rest_on_does():
    assert answer_name("a", 1) == answer_name("a", 1)
    assert answer_name("a", 1) != answer_name("a", 2)
