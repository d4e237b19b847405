import numpy as np

from modicum.routing.curve import curve_figures
from modicum.routing.inputs import read_prompts
from modicum.routing.learners.blended import BlendedScorer
from modicum.routing.learners.by_name import make_learner
from modicum.routing.learners.linear import LinearLearner
from modicum.routing.learners.taught import TaughtLearner
from routing_tables import known_table


class Knowing:
    """A teacher that knows what is likely, by the prompts' vectors."""

    name = "knowing"

    def fit(self, _inputs, _outcomes):
        return self

    def score(self, inputs):
        return inputs.embeddings


def test_a_teacher_that_knows_better_makes_a_better_student_who_needs_no_vectors():
    table, fresh = known_table(80, seed=1), known_table(400, seed=2)
    likely = np.array([[0.1, 0.95] if row % 2 else [0.97, 0.95] for row in range(80)])
    student = LinearLearner(measure_share=0.15)
    taught = TaughtLearner(student, Knowing(), student)

    def apgr(scorer):
        scores = scorer.score(fresh.inputs)
        return curve_figures(scores[:, 1] - scores[:, 0], *fresh.outcomes.T).apgr

    alone = apgr(student.fit(table.inputs, table.outcomes))
    assert apgr(taught.fit(read_prompts(table.prompts, likely), table.outcomes)) > alone


def test_without_vectors_it_is_taught_by_a_slower_learner_and_can_be_kept():
    table = known_table(80)

    assert isinstance(make_learner("taught").fit(table.inputs, table.outcomes), BlendedScorer)


def test_what_nobody_graded_stays_unknown():
    table = known_table(60)
    outcomes = table.outcomes.copy()
    outcomes[:, 0] = np.nan

    scores = make_learner("taught").fit(table.inputs, outcomes).score(table.inputs)

    assert np.isfinite(scores).all()
    assert np.ptp(scores[:, 0]) < 1e-9 or np.ptp(scores[:, 0]) <= np.ptp(scores[:, 1])
