"""Results of our own making, for tests of comparisons."""

from modicum.calls.task_result import TaskResult, total_of


def result(arm, task, outcome=1.0, cost=1.0, tokens=1000, **fields):
    completion = None if tokens is None else tokens // 10
    prompt = None if tokens is None else tokens - completion
    return TaskResult(
        arm=arm,
        task=str(task),
        outcome=outcome,
        cost_usd=cost,
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=total_of(prompt, completion),
        **fields,
    )


def saver(tasks=100, *, ratio=0.7, outcome=lambda *_: 1.0, arms=("plain", "saver")):
    """Tasks of several sizes, of which the second arm needs about so much, with some spread."""
    rows = []
    for task in range(tasks):
        size = 1 + task % 7
        wobble = (0.9, 1.0, 1.1)[task % 3]
        rows.append(result(arms[0], task, outcome(arms[0], task), size, 10_000 * size))
        rows.append(
            result(arms[1], task, outcome(arms[1], task), size * ratio * wobble, int(10_000 * size * ratio * wobble))
        )
    return rows
