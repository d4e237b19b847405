"""The learners that a person can name, and the one that is taken where nobody names any."""

from modicum.calls.errors import unknown_name
from modicum.routing.learners.blended import BlendedLearner
from modicum.routing.learners.embedded import EmbeddedLearner
from modicum.routing.learners.kernel import KernelLearner
from modicum.routing.learners.learner import OutcomeLearner
from modicum.routing.learners.length import LengthLearner
from modicum.routing.learners.linear import LinearLearner
from modicum.routing.learners.neighbours import NeighbourLearner
from modicum.routing.learners.taught import TaughtLearner

DEFAULT = "taught"
LIVE = ("length", "linear", "letters", "neighbours", "blended", "taught")
"""Those that decide on a live call. The others need vectors of the prompts, which no call has in time."""
WITH_EMBEDDINGS = ("embedding", "embedding-neighbours", "embedding-kernel", "blended-embedding")
_MOST_COLUMNS = 30
"""Of each prompt that neighbours compare: what stays near a millisecond and in a small file."""


def make_learner(name: str) -> OutcomeLearner:
    linear, letters = LinearLearner(measure_share=0.15), LinearLearner("letters", measure_share=0.15)
    neighbours = NeighbourLearner(most_columns=_MOST_COLUMNS)
    by_letters = NeighbourLearner("letters", most_columns=_MOST_COLUMNS)
    embedding, embedding_neighbours, kernel = EmbeddedLearner(), EmbeddedLearner(150), KernelLearner()
    blended = BlendedLearner((linear, neighbours, by_letters))
    with_embeddings = BlendedLearner((linear, embedding_neighbours, kernel), "blended with embeddings")
    learners: dict[str, OutcomeLearner] = {
        "length": LengthLearner(),
        "linear": linear,
        "letters": letters,
        "neighbours": neighbours,
        "blended": blended,
        "taught": TaughtLearner(BlendedLearner((linear, letters, neighbours)), with_embeddings, blended),
        "embedding": embedding,
        "embedding-neighbours": embedding_neighbours,
        "embedding-kernel": kernel,
        "blended-embedding": with_embeddings,
    }
    if name not in learners:
        raise unknown_name("learner", name, learners)
    return learners[name]
