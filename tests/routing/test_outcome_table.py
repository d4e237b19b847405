from dataclasses import replace

import numpy as np
import pytest

from modicum.calls import UserError
from modicum.routing.outcome_table import check_table
from routing_tables import known_table


def test_a_table_of_ten_rows_teaches_nothing():
    with pytest.raises(
        UserError, match=r"10 tasks, and nothing can be learned from fewer than 50; until then write a rule"
    ):
        check_table(known_table(10))


def test_one_class_only_is_named_with_the_safe_choice():
    table = known_table(100)
    with pytest.raises(UserError, match="every outcome is 1: models cannot be told apart by it, so take the cheapest"):
        check_table(replace(table, outcomes=np.ones((100, 2))))
    with pytest.raises(UserError, match="every outcome is unknown"):
        check_table(replace(table, outcomes=np.full((100, 2), np.nan)))

    (remark,) = check_table(replace(table, outcomes=np.column_stack((table.outcomes[:, 0], np.ones(100)))))
    assert remark == "dear: every outcome is 1, so nothing about it depends on the prompt."


def test_labels_that_contradict_are_counted():
    table = known_table(100)
    outcomes = table.outcomes.copy()
    outcomes[:2, 0] = [0, 1]
    remarks = check_table(replace(table, prompts=("same", "same", *table.prompts[2:]), outcomes=outcomes))

    assert any("2 rows repeat a prompt with another outcome" in remark for remark in remarks)


def test_a_choice_needs_two_models():
    with pytest.raises(UserError, match="a choice needs two models"):
        check_table(known_table().select(["dear"]))
    with pytest.raises(UserError, match="no model 'gone'; accepted are cheap, dear"):
        known_table().select(["gone"])


def test_tasks_without_an_outcome_are_left_out_of_what_needs_all():
    table = known_table(100)
    outcomes = table.outcomes.copy()
    outcomes[:7, 1] = np.nan
    partial = replace(table, outcomes=outcomes)

    assert len(partial.complete()) == 93
    assert partial.complete().prompts[0] == table.prompts[7]
    assert partial.mean_costs("usd").tolist() == pytest.approx([0.001, 0.01])
    assert np.isnan(partial.mean_costs("joules")).all()
