import gzip

import numpy as np
import pytest

from modicum.calls import UserError
from modicum.importers.outcome_tables import read_outcome_tables
from modicum.routing.stage import Stage
from routing_tables import known_table, write_long


def written(tmp_path, text, name="t.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_row_per_model_and_a_column_per_model_are_the_same_table(tmp_path):
    long = written(
        tmp_path,
        "task,model,prompt,group,success,cost_usd,answer\n"
        "1,a,say one,x,true,0.1,one\n1,b,say one,x,false,0.5,two\n2,a,say two,y,0,0.1,\n2,b,say two,y,1,0.5,2\n",
    )
    wide = written(
        tmp_path,
        "prompt,subject,a,b,a:cost_usd,b:cost_usd,a:answer,b:answer\n"
        "say one,x,True,False,0.1,0.5,one,two\nsay two,y,0,1,0.1,0.5,,2\n",
        "w.csv",
    )

    for path in (long, wide):
        table, problems = read_outcome_tables([path])
        assert not problems
        assert table.models == ("a", "b")
        assert table.prompts == ("say one", "say two")
        assert table.families == ("x", "y")
        assert table.outcomes.tolist() == [[1, 0], [0, 1]]
        assert table.costs["usd"].tolist() == [[0.1, 0.5], [0.1, 0.5]]
        assert table.answers[0] == ("one", "two")


def test_several_runs_of_a_task_are_a_share_and_several_files_are_families(tmp_path):
    one = written(tmp_path, "prompt,model,correct\nq,a,1\nq,a,0\nq,b,1\n", "one.csv")
    two = tmp_path / "two.csv.gz"
    two.write_bytes(gzip.compress(b"prompt,model,correct\nr,a,1\n"))

    table, _ = read_outcome_tables([one, two])

    assert table.outcomes[0].tolist() == [0.5, 1]
    assert np.isnan(table.outcomes[1, 1])
    assert table.families == ("one", "two")


def test_bad_rows_are_named_with_their_line_and_the_rest_counts(tmp_path):
    path = written(
        tmp_path,
        "prompt,a,b,a:cost_usd\nfine,1,0,1\n,1,1,1\nodd,maybe,1,1\nfar,7,1,1\nshort,1\ncost,1,1,-3\nnan,nan,1,\n",
    )

    table, problems = read_outcome_tables([path])

    assert table.prompts == ("fine", "nan")
    assert [(problem.line, problem.reason.partition(": ")[2]) for problem in problems if ": " in problem.reason] == [
        (3, "the prompt is empty"),
        (4, "the outcome is neither a number nor true or false"),
        (5, "the outcome lies outside 0..1"),
        (7, "a cost is negative or endless"),
    ]
    assert problems[3].reason == "2 cells where the header has 4"


def test_prompts_of_any_language_and_with_line_ends_are_read(tmp_path):
    path = written(tmp_path, 'prompt,a,b\n"zwei\nZeilen, ""ja""",1,0\n日本語,0,1\n')

    assert read_outcome_tables([path])[0].prompts == ('zwei\nZeilen, "ja"', "日本語")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("question_id,a\n1,1\n", "no column holds the prompts; accepted are prompt, question"),
        ("prompt,model\nx,a\n", "no column holds outcomes; name it with --outcome"),
        ("prompt\nx\n", "neither a column 'model' nor one for each model"),
        ("prompt,a\n", "holds no tasks"),
        ("", "holds no tasks"),
    ],
)
def test_a_table_that_lacks_something_says_what(tmp_path, text, said):
    with pytest.raises(UserError, match=said):
        read_outcome_tables([written(tmp_path, text)])


def test_a_model_or_family_that_is_not_there_is_answered_with_those_that_are(tmp_path):
    path = write_long(known_table(5), tmp_path / "t.csv")

    with pytest.raises(UserError, match="no model 'gone' in the table; accepted are cheap, dear"):
        read_outcome_tables([path], models=["gone"])
    with pytest.raises(UserError, match="there is no column 'kind'; accepted are task, model"):
        read_outcome_tables([path], family="kind")


def table_of(tmp_path, text):
    return read_outcome_tables([written(tmp_path, text)])


@pytest.mark.parametrize(
    "text",
    [
        "prompt;a;b\nx;1;0\ny;0;1\n",
        "prompt\ta\tb\nx\t1\t0\ny\t0\t1\n",
        "Task ID,Model Name,Prompt,Score\n1,a,x,1\n1,b,x,0\n2,a,y,0\n2,b,y,1\n",
        ",prompt,gold,a,b\n7,x,forty,1,0\n8,y,two,0,1\n",
        "prompt,a,b,oracle\nx,True,False,a\ny,False,True,b\n",
    ],
    ids=["semicolons", "tabs", "a_row_per_model_in_other_words", "an_index_and_words", "booleans_and_a_name"],
)
def test_tables_as_other_programs_write_them(tmp_path, text):
    table, problems = table_of(tmp_path, text)

    assert (table.models, table.prompts, table.outcomes.tolist()) == (("a", "b"), ("x", "y"), [[1, 0], [0, 1]])
    assert not problems


@pytest.mark.parametrize("head", ["a_cost,b_cost", "a:cost_usd,b:cost_usd", "a|total_cost,b|total_cost"])
def test_costs_stand_beside_their_model_in_several_ways(tmp_path, head):
    table, _ = table_of(tmp_path, f"prompt,a,b,{head}\nx,1,0,0.5,2\ny,1,0,0.5,2\n")

    assert table.models == ("a", "b")
    assert table.mean_costs("usd").tolist() == [0.5, 2]


@pytest.mark.parametrize(("best", "least"), [(10, 1), (100, 0)])
def test_outcomes_of_another_scale_are_divided_and_that_is_said(tmp_path, best, least):
    for text in (
        f"prompt,model,score\nx,a,{best}\nx,b,{least}\n",
        f"prompt,a,b\nx,{best},{least}\n" + f"y,{best},{best}\n" * 3,
    ):
        table, problems = table_of(tmp_path, text)
        assert table.outcomes[0].tolist() == [1, least / best]
        assert [problem.reason for problem in problems] == [f"outcomes reach beyond 1: they are divided by {best}"]


def test_moments_of_tasks_have_their_stage_and_keep_their_task(tmp_path):
    path = written(
        tmp_path,
        "task,prompt,model,success,depth,errors,errors_in_a_row,last_tool\n"
        "t1,fix it,a,1,,,,\nt1,fix it,b,1,0,0,0,\nt1,fix it,a,0,4,2,1,Edit\nt2,fix that,a,1,1,,,Read\n"
        "t2,fix that,b,1,1,2,0,Read\nt2,fix that,b,1,x,2,0,Read\n",
    )

    table, problems = read_outcome_tables([path])

    assert table.tasks == ("t1", "t1", "t2")
    assert table.stages == (Stage(), Stage(4, 2, 1, "Edit", has_written=True), Stage(1, 0, 0, "Read"))
    assert table.outcomes[0].tolist() == [1, 1]
    assert [(problem.line, problem.reason) for problem in problems] == [
        (6, "not a row of outcomes: depth, errors and errors_in_a_row contradict each other"),
        (7, "not a row of outcomes: depth and errors must be whole numbers"),
    ]
