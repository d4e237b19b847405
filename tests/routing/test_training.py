from datetime import date

import numpy as np
import pytest

from modicum.calls import UserError
from modicum.routing.learners.by_name import make_learner
from modicum.routing.outcome_table import OutcomeTable
from modicum.routing.training import train_router
from routing_tables import known_table

ARGUMENTS = {"source": "t.csv", "today": date(2026, 11, 30), "holds_days": 30}


def test_training_says_where_it_comes_from_and_what_was_reached():
    trained = train_router(known_table(600), make_learner("linear"), "usd", loss=0.02, **ARGUMENTS)
    provenance = trained.router.terms.provenance

    assert (provenance.trained_on, provenance.expires_on) == (date(2026, 11, 30), date(2026, 12, 30))
    assert (provenance.source, provenance.learner, provenance.tasks_count) == ("t.csv", "linear on words", 600)
    assert provenance.saving > 0.3
    assert provenance.apgr > 0.7
    assert not trained.remarks


def test_prompts_that_say_nothing_are_no_reason_to_route():
    draw = np.random.default_rng(3)
    outcomes = np.column_stack((draw.random(400) < 0.5, draw.random(400) < 0.9)).astype(float)
    table = OutcomeTable(
        ("cheap", "dear"),
        tuple(f"task {number}" for number in range(400)),
        outcomes,
        (),
        {"usd": np.ones((400, 2)) * [1, 9]},
    )

    trained = train_router(table, make_learner("linear"), "usd", loss=0.0, **ARGUMENTS)

    assert trained.calibration.outcome >= trained.calibration.best_single_outcome - 0.01
    assert trained.router.decide("task 7", today=date(2026, 11, 30)).model == "dear"


def test_ten_rows_are_refused():
    with pytest.raises(UserError, match="10 tasks"):
        train_router(known_table(10), make_learner("linear"), "usd", loss=0.0, **ARGUMENTS)
