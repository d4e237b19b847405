"""Models that did as well here on other tasks of the same kind: likely to do for these too, and no proof of it.

Somebody chose which task went to which model, so the tasks differ in more than the model: only a trial tells.
"""

from collections import Counter
from collections.abc import Sequence

from modicum.calls.words.counted_nouns import number_of
from modicum.insights.advice.call_kinds import UNKNOWN, CallKind
from modicum.statistics.proportions import share_difference

FEWEST_TASKS = 20
"""With an outcome, of either model."""
MOST_LOSS = 0.1
"""A loss beyond this, as a share of tasks, must be ruled out with 95 % certainty."""


def find_likely_models(kind: CallKind, kinds: Sequence[CallKind]) -> dict[str, str]:
    """The models, each with the reason.

    Args:
        kind: whose model might be another.
        kinds: all of these calls; those with the same agent and tools are of the same kind but for the model.
    """
    if kind.tools == UNKNOWN or kind.tasks_with_outcome < FEWEST_TASKS:
        return {}
    graded: Counter[str] = Counter()
    reached: Counter[str] = Counter()
    for other in kinds:
        if (other.agent, other.tools) == (kind.agent, kind.tools) and other.model != kind.model:
            graded[other.model] += other.tasks_with_outcome
            reached[other.model] += other.tasks_reached
    likely = {}
    for model, tasks in graded.items():
        if tasks < FEWEST_TASKS:
            continue
        low, high = share_difference(reached[model], tasks, kind.tasks_reached, kind.tasks_with_outcome)
        if low >= -MOST_LOSS:
            likely[model] = (
                f"{reached[model]} of {number_of(tasks, 'task')} of this kind succeeded with it here, "
                f"{kind.tasks_reached} of {kind.tasks_with_outcome} with this model "
                f"({100 * low:+.0f} to {100 * high:+.0f} points); the tasks were not the same"
            )
    return likely
