import shutil
from pathlib import Path

import pytest

from importers.fixture_pairs import case_id, cases_of, check_calls, check_null_counts
from modicum.calls import Call
from modicum.importers import read_calls
from modicum.importers.agents.codex import difference
from modicum.importers.format import Reading

FIXTURES = Path(__file__).parent.parent / "fixtures" / "codex"


def ids_and_times(paths, **options):
    found = read_calls(paths, Reading(**options))
    return [(call.call_id, call.started, call.finished, call.usage) for call in found if isinstance(call, Call)]


def test_a_copy_of_the_parents_rows_is_found_in_the_folders_of_other_days(tmp_path):
    parent, child = min(FIXTURES.glob("rollout-*.jsonl")), FIXTURES / "fork-with-copy.jsonl"
    day, archive = tmp_path / "sessions" / "2026" / "03" / "02", tmp_path / "archived_sessions"
    day.mkdir(parents=True)
    archive.mkdir()
    shutil.copy(child, day / child.name)
    alone = ids_and_times([day])
    shutil.copy(parent, archive / parent.name)

    assert len(alone) == 3  # nobody can tell the copy without its parent
    assert ids_and_times([day]) == alone[2:]  # and the ids of the others stay the same


def test_a_bill_and_an_anatomy_see_the_same_calls():
    assert ids_and_times([FIXTURES], anatomy=False) == ids_and_times([FIXTURES], anatomy=True)


def test_what_one_call_added_to_the_totals():
    assert difference((10, 0, 0, 1, 0), (30, 5, 0, 3, 1), (99, 0, 0, 0, 0)) == (20, 5, 0, 2, 1)
    assert difference(None, (30, 0, 0, 3, 0), (20, 0, 0, 2, 0)) == (20, 0, 0, 2, 0)  # goes on from another thread
    assert difference(None, (30, 0, 0, 3, 0), (0, 0, 0, 0, 0)) == (30, 0, 0, 3, 0)
    assert difference((30, 0, 0, 3, 0), (7, 0, 0, 1, 0), (7, 0, 0, 1, 0)) == (7, 0, 0, 1, 0)  # set back


@pytest.mark.parametrize("case", cases_of("codex"), ids=case_id)
def test_a_fixture_gives_the_calls_beside_it(case):
    check_calls(case)


@pytest.mark.parametrize("case", cases_of("codex"), ids=case_id)
def test_a_prompt_whose_count_is_null_is_never_an_exact_zero(case, tmp_path):
    check_null_counts(case, tmp_path)
