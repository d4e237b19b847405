"""F2: replies far longer than is usual for the same kind of call."""

import numpy as np

from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import History, Ints
from modicum.insights.segment_costs import hash_rows, most_expensive, output_usd

FEWEST_CALLS = 20
PERCENTILE = 95
TIMES_MEDIAN = 4


def find(history: History) -> Finding:
    most = find_caps(history)
    output = history.output_visible + history.output_reasoning
    over = output > most
    removed = np.where(over, output - most, 0)
    price = np.divide(output_usd(history), output, out=np.zeros(history.calls), where=output > 0)
    reasoning = int(history.output_reasoning.sum())
    return Finding(
        id="F2",
        name="excess_output",
        title="Replies and reasoning beyond the usual",
        what=f"Output above the {PERCENTILE}th percentile of its route (project, agent and model) and above "
        f"{TIMES_MEDIAN} times the median of the route.",
        finding_class=FindingClass.HEADROOM,
        calls=int(over.sum()),
        tokens=int(removed.sum()),
        gross_usd=float(np.nansum(removed * price)),
        change=HistoryChange(max_output_tokens=most) if over.any() else None,
        remedy="Set max_tokens, a lower reasoning effort (reasoning.effort, thinking budget), or ask for brevity on "
        "these routes.",
        guard=f"Routes with fewer than {FEWEST_CALLS} calls are not judged. A long reply may have been the work that "
        "was asked for, so this is headroom and in no sum.",
        examples=most_expensive(history, over),
        details={"reasoning_share_of_output": reasoning / int(output.sum()) if output.sum() else 0.0},
    )


NO_CAP = np.iinfo(np.int64).max


def find_caps(history: History) -> Ints:
    """The most output of each call: what is usual on its route, or no limit."""
    output = history.output_visible + history.output_reasoning
    _, route = np.unique(hash_rows(history.project, history.agent, history.model), return_inverse=True)
    most = np.full(history.calls, NO_CAP, np.int64)
    order = np.lexsort((output, route))
    starts = np.flatnonzero(np.diff(route[order], prepend=-1))
    ends = np.append(starts[1:], history.calls)
    for start, end in zip(starts, ends, strict=True):
        here = output[order[start:end]]
        if end - start < FEWEST_CALLS:
            continue
        usual = int(here[int(np.ceil(PERCENTILE / 100 * len(here))) - 1])
        most[order[start:end]] = max(usual, int(TIMES_MEDIAN * np.median(here)))
    return most
