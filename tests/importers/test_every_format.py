"""What holds for every log format: its fixtures give the calls that stand beside them."""

import pytest

from importers.fixture_pairs import CASES, check_calls, check_null_counts


def case_id(case):
    return f"{case.parent.name}/{case.name}"


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_a_fixture_gives_the_calls_beside_it(case):
    check_calls(case)


OF_CALLS = [case for case in CASES if case.suffix in {".json", ".jsonl"}]


@pytest.mark.parametrize("case", OF_CALLS, ids=case_id)
def test_a_prompt_whose_count_is_null_is_never_an_exact_zero(case, tmp_path):
    check_null_counts(case, tmp_path)
