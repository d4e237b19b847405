from pathlib import Path

import pytest

from modicum.importers.task_results.result_format import (
    ResultOptions,
    arm_label,
    count_of,
    file_label,
    float_of,
    label_files,
)


def test_a_file_is_named_without_its_endings():
    assert file_label(Path("a/opus.json.gz")) == "opus"
    assert file_label(Path("run.v2.eval")) == "run.v2"


def test_files_of_one_name_have_their_folder_before_it():
    labels = label_files([Path("/x/a/r.json"), Path("/x/b/r.csv"), Path("/x/b/s.csv")])

    assert list(labels.values()) == ["a/r", "b/r", "s"]


def test_an_arm_is_named_by_what_is_asked_for():
    path = Path("f.json")

    assert arm_label(ResultOptions(), path, {"model": "m"}) == "f"
    assert arm_label(ResultOptions(by="model"), path, {"model": "m"}) == "m"
    assert arm_label(ResultOptions(), path, {"model": "m"}, default="model") == "m"
    with pytest.raises(ValueError, match=r"no 'agent'.*--by accepts file, model"):
        arm_label(ResultOptions(by="agent"), path, {"model": "m", "agent": ""})


def test_numbers_are_numbers():
    assert (float_of(1), float_of(value=True), float_of("1")) == (1.0, None, None)
    assert (count_of(3.0), count_of(float("nan")), count_of(float("inf"))) == (3, None, None)
