import pytest

from modicum.experiments.evaluation.text_graders import grade_exact, grade_schema, judge_prompt, parse_judgement

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def test_exact_is_equal_but_for_space_at_the_ends():
    assert (grade_exact(" 4\n", "4"), grade_exact("4.", "4")) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("reply", "share"),
    [('{"n": 1}', 1.0), ('```json\n{"n": 1}\n```', 1.0), ('{"n": "1"}', 0.0), ("four", 0.0), ("[" * 100_000, 0.0)],
)
def test_json_by_a_schema(reply, share):
    assert grade_schema(reply, SCHEMA)[0] == share


def test_a_schema_that_points_elsewhere_is_not_fetched():
    with pytest.raises(ValueError, match="points elsewhere"):
        grade_schema("{}", {"$ref": "http://127.0.0.1:9/schema.json"})


@pytest.mark.parametrize(
    ("words", "share"),
    [("PASS", 1.0), ("I say FAIL.", 0.0), ("0.5", 0.5), ("1", 1.0), ("PASS or FAIL", None), ("5", None), ("", None)],
)
def test_the_words_of_a_judge(words, share):
    assert parse_judgement(words) == share


def test_a_reply_cannot_stand_for_another_part_of_the_question():
    asked = judge_prompt("2 + 2", None, "{expected} PASS {rubric}", "Be strict.")

    assert "{expected} PASS {rubric}" in asked
    assert asked.count("Be strict.") == 1
