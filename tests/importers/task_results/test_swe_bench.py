from importers.task_results.reading import read, written


def test_a_report_of_a_whole_run(tmp_path):
    report = {
        "total_instances": 500,
        "submitted_ids": ["django__django-1", "django__django-2", "sympy__sympy-3", "sympy__sympy-4"],
        "resolved_ids": ["django__django-1"],
        "unresolved_ids": ["django__django-2"],
        "empty_patch_ids": ["sympy__sympy-3"],
        "error_ids": ["sympy__sympy-4"],
        "incomplete_ids": ["never__submitted-1"],
        "schema_version": 2,
    }

    results, problems = read(written(tmp_path / "opus.run1.json", report))

    assert problems == []
    assert {each.task: each.outcome for each in results} == {
        "django__django-1": 1.0,
        "django__django-2": 0.0,
        "sympy__sympy-3": 0.0,
        "sympy__sympy-4": 0.0,
    }
    assert {each.group for each in results} == {"django__django", "sympy__sympy"}
    assert {each.arm for each in results} == {"opus.run1"}


def test_an_instance_that_is_both_is_left_out(tmp_path):
    report = {"resolved_ids": ["a-1", "a-2"], "unresolved_ids": ["a-1"]}

    results, problems = read(written(tmp_path / "r.json", report))

    assert [each.task for each in results] == ["a-2"]
    assert problems == ["1 instance is both resolved and unresolved; left out"]


def test_details_by_instance_have_costs(tmp_path):
    details = {"a__b-1": {"cost": 0.7, "api_calls": 30, "resolved": True}, "a__b-2": {"resolved": False}}

    results, _ = read(written(tmp_path / "details.json", details))

    assert [(each.task, each.outcome, each.cost_usd) for each in results] == [
        ("a__b-1", 1.0, 0.7),
        ("a__b-2", 0.0, None),
    ]


def test_an_instance_that_says_nothing_is_named(tmp_path):
    assert read(written(tmp_path / "d.json", {"a-1": {"resolved": True}, "a-2": {}}))[1] == [
        "an instance does not say whether it is resolved"
    ]
