import pytest

from importers.task_results.reading import read, written


def test_files_of_several_sources_are_read_together(tmp_path):
    one = written(tmp_path / "a.json", {"resolved_ids": ["t-1"], "submitted_ids": ["t-1", "t-2"]})
    other = written(tmp_path / "b.csv", "task,success,cost\nt-1,0,1\nt-2,1,2\n")

    results, problems = read(one, other)

    assert problems == []
    assert [(each.arm, each.task, each.outcome) for each in results] == [
        ("a", "t-1", 1.0),
        ("a", "t-2", 0.0),
        ("b", "t-1", 0.0),
        ("b", "t-2", 1.0),
    ]


def test_two_files_of_one_name_are_two_arms(tmp_path):
    paths = [written(tmp_path / folder / "r.csv", "task,success\n1,1\n") for folder in ("x", "y")]

    assert [each.arm for each in read(*paths)[0]] == ["x/r", "y/r"]


def test_tabs_divide_where_there_are_more_of_them(tmp_path):
    assert read(written(tmp_path / "t.tsv", "task\tsuccess\n1\t1\n"))[0][0].outcome == 1.0


@pytest.mark.parametrize(
    "text", ["", "  \n", "\x00\x00", "{", "[1, 2]", "{}", "[]", '"x"', "null", "[[[[", "PK\x03\x04"]
)
def test_files_that_hold_no_results_are_problems_and_no_faults(tmp_path, text):
    results, problems = read(written(tmp_path / "t.json", text))

    assert results == []
    assert problems
