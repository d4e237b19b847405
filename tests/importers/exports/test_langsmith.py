import pytest

from importers.fixture_pairs import case_id, cases_of, check_calls, check_null_counts


@pytest.mark.parametrize("case", cases_of("langsmith"), ids=case_id)
def test_a_fixture_gives_the_calls_beside_it(case):
    check_calls(case)


@pytest.mark.parametrize("case", cases_of("langsmith"), ids=case_id)
def test_a_prompt_whose_count_is_null_is_never_an_exact_zero(case, tmp_path):
    check_null_counts(case, tmp_path)
