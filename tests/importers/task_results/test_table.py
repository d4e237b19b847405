import gzip
import json

import pytest

from importers.task_results.reading import read, written


def test_a_csv_with_usual_names(tmp_path):
    path = written(
        tmp_path / "t.csv",
        "run_id,saver,model,task,success,total_cost_usd,input_tokens,output_tokens,cache_creation_tokens,"
        "cache_read_tokens,wall_ms\nr1,none,m,t1,1,0.5,6,10,100,1000,1500\nr2,x,m,t1,0,,6,10,0,0,\n",
    )

    (one, other), problems = read(path)

    assert problems == []
    assert (one.arm, one.task, one.run_id, one.outcome, one.cost_usd) == ("none", "t1", "r1", 1.0, 0.5)
    assert (one.prompt_tokens, one.completion_tokens, one.total_tokens, one.seconds) == (1106, 10, 1116, 1.5)
    assert (other.arm, other.outcome, other.cost_usd, other.seconds, other.place) == ("x", 0.0, None, None, "t.csv:3")


def test_json_lines_and_arrays_are_tables_too(tmp_path):
    rows = [{"model": "a", "task": 1, "passed": True, "cost": 1}, {"model": "b", "task": 1, "passed": False, "cost": 2}]
    lines = written(tmp_path / "t.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    array = written(tmp_path / "t2.json", rows)
    packed = tmp_path / "t3.jsonl.gz"
    packed.write_bytes(gzip.compress(lines.read_bytes()))

    for path in (lines, array, packed):
        results, problems = read(path)
        assert problems == []
        assert [(each.arm, each.task, each.outcome, each.cost_usd) for each in results] == [
            ("a", "1", 1.0, 1.0),
            ("b", "1", 0.0, 2.0),
        ]


def test_a_file_without_an_arm_is_one(tmp_path):
    results, _ = read(written(tmp_path / "opus.csv", "task,reward\n1,1.0\n2,0\n"))

    assert [each.arm for each in results] == ["opus", "opus"]


def test_a_column_that_is_the_same_throughout_names_no_arm(tmp_path):
    path = written(tmp_path / "t.csv", "model,saver,task,success\nm,a,1,1\nm,b,1,1\n")

    assert {each.arm for each in read(path)[0]} == {"a", "b"}
    assert {each.arm for each in read(path, by="model")[0]} == {"m"}
    assert {each.arm for each in read(path, by="file")[0]} == {"t"}


def test_two_columns_that_could_name_arms_are_asked_about(tmp_path):
    path = written(tmp_path / "t.csv", "model,prompt,task,success\nm,p,1,1\nn,q,1,1\n")

    assert read(path) == (
        [],
        ["several columns could name the arms; choose one with --by (accepted are model, prompt)"],
    )
    assert {each.arm for each in read(path, by="prompt")[0]} == {"p", "q"}


def test_columns_by_role(tmp_path):
    path = written(tmp_path / "t.csv", "who,what,ok,usd,w,repo\na,1,yes,2,9,r\n")
    columns = {"arm": "who", "task": "what", "outcome": "OK", "cost": "usd", "joules": "w", "group": "repo"}

    (found,), problems = read(path, columns=columns)

    assert problems == []
    assert (found.arm, found.task, found.outcome, found.cost_usd, found.joules, found.group) == (
        "a",
        "1",
        1.0,
        2.0,
        9.0,
        "r",
    )


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        (
            "a,b\n1,2\n",
            {},
            "no column says which task a row is of; name it with --column task=NAME (accepted are a, b)",
        ),
        ("task,b\n1,2\n", {"outcome": "x"}, "there is no column 'x' for the outcome; accepted are task, b"),
        ("task,success\n", {}, "the table holds no rows"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(tmp_path, text, options, reason):
    assert read(written(tmp_path / "t.csv", text), **options) == ([], [reason])


def test_bad_rows_are_named_and_the_others_go_on(tmp_path):
    path = written(tmp_path / "t.csv", 'task,success,cost\n1,1,x\n2,1\n,1,1\n3,maybe,1\n4,1,1\n5,1,"1,5"\n')

    results, problems = read(path)

    assert [each.task for each in results] == ["4"]
    assert sorted(problems) == [
        "2 cells where the header has 3",
        "not a result: cost is no number",
        "not a result: cost is no number",
        "not a result: success is no number",
        "not a result: task is empty",
    ]


def test_a_numbered_repeat_is_the_run_where_no_run_has_an_id(tmp_path):
    path = written(tmp_path / "t.csv", "task,trial,success\n1,0,1\n1,1,0\n")

    assert [each.run_id for each in read(path)[0]] == ["t/0", "t/1"]


def test_a_file_that_says_nothing_of_a_figure_leaves_it_unknown(tmp_path):
    (found,), _ = read(written(tmp_path / "t.csv", "task\n1\n"))

    assert (found.outcome, found.cost_usd, found.total_tokens, found.seconds) == (None,) * 4
