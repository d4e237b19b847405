import numpy as np

from modicum.routing.learners.blended import blend, spread_of
from modicum.routing.learners.length import LengthLearner
from modicum.routing.learners.linear import LinearLearner
from routing_tables import known_table


def test_a_blend_of_one_learner_ranks_as_that_one():
    table = known_table()
    alone = LinearLearner().fit(table.inputs, table.outcomes).score(table.inputs)
    blended = blend([LinearLearner()]).fit(table.inputs, table.outcomes).score(table.inputs)

    assert (np.argsort(alone[:, 1] - alone[:, 0]) == np.argsort(blended[:, 1] - blended[:, 0])).mean() > 0.99


def test_every_learner_has_the_same_say():
    table = known_table()
    scorer = blend([LinearLearner(), LengthLearner()]).fit(table.inputs, table.outcomes)
    parts = [
        (part.score(table.inputs) - mean) / spread
        for part, mean, spread in zip(scorer.parts, scorer.means, scorer.spreads, strict=True)
    ]

    assert 0.5 < spread_of(parts[0]) / spread_of(parts[1]) < 2
