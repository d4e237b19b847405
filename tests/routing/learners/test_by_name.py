import numpy as np
import pytest

from modicum.calls import UserError
from modicum.routing.learners.by_name import LIVE, make_learner
from routing_tables import known_table


@pytest.mark.parametrize("name", [name for name in LIVE if name != "length"])
def test_every_live_learner_tells_hard_prompts_from_easy_ones(name):
    table, others = known_table(), known_table(seed=1)

    scores = make_learner(name).fit(table.inputs, table.outcomes).score(others.inputs)
    gains = scores[:, 1] - scores[:, 0]

    assert gains[1::2].mean() > gains[::2].mean() + 0.2


def test_an_unknown_learner_is_answered_with_those_that_there_are():
    with pytest.raises(UserError, match="no learner 'magic'; accepted are length, linear"):
        make_learner("magic")


@pytest.mark.parametrize("name", ["embedding", "embedding-neighbours", "blended-embedding"])
def test_learners_on_vectors_need_vectors(name):
    table = known_table()
    with pytest.raises(UserError, match=r"--embeddings FILE\.npy"):
        make_learner(name).fit(table.inputs, table.outcomes)


@pytest.mark.parametrize("name", LIVE)
def test_outcomes_that_nobody_knows_are_no_failures(name):
    table = known_table()
    outcomes = table.outcomes.copy()
    outcomes[::3, 0] = np.nan

    scores = make_learner(name).fit(table.inputs, outcomes).score(table.inputs)

    assert np.isfinite(scores).all()
    assert abs(scores[:, 0].mean() - np.nanmean(outcomes[:, 0])) < 0.1
