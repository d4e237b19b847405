"""Tables whose truth is known: which words say that the better model is needed."""

import numpy as np

from modicum.routing.outcome_table import OutcomeTable
from modicum.routing.stage import Stage

EASY = ("name the capital of", "spell this long word", "add two numbers and", "greet a friend from")
HARD = ("prove a lemma about", "derive integrals of", "refactor code for", "optimise queries on")
OBJECTS = ("france", "apples", "rivers", "clocks", "trains", "lamps", "forests", "bridges", "violins", "harbours")


def known_table(tasks=300, seed=0):
    """Both are right at easy prompts; at hard ones mostly the dear model alone."""
    draw = np.random.default_rng(seed)
    prompts, outcomes, families = [], [], []
    for number in range(tasks):
        hard = number % 2 == 1
        begin = (HARD if hard else EASY)[draw.integers(4)]
        prompts.append(f"{begin} {OBJECTS[draw.integers(10)]} and {OBJECTS[draw.integers(10)]} {number}")
        outcomes.append([float(draw.random() < (0.1 if hard else 0.97)), float(draw.random() < 0.95)])
        families.append(begin)
    costs = np.tile([0.001, 0.010], (tasks, 1))
    return OutcomeTable(("cheap", "dear"), tuple(prompts), np.array(outcomes), tuple(families), {"usd": costs})


def write_long(table, path):
    rows = ["task,model,prompt,family,success,cost_usd"]
    for row, prompt in enumerate(table.prompts):
        for column, model in enumerate(table.models):
            outcome, cost = table.outcomes[row, column], table.costs["usd"][row, column]
            rows.append(f"t{row},{model},{prompt},{table.families[row]},{outcome:g},{cost}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def stepped_table(tasks=200, seed=0):
    """Two moments of each task: at the second the cheap model has failed with its tools, or not. If so it is lost."""
    draw = np.random.default_rng(seed)
    prompts, outcomes, names, stages = [], [], [], []
    for number in range(tasks):
        begin = EASY[draw.integers(4)]
        for step in range(2):
            failed = step == 1 and number % 2 == 1
            prompts.append(f"{begin} {OBJECTS[number % 10]} {number}")
            names.append(f"t{number}")
            stages.append(Stage(2 * step, 2 * failed, 2 * failed, "Read" if step else ""))
            outcomes.append([float(draw.random() < (0.1 if failed else 0.95)), float(draw.random() < 0.95)])
    return OutcomeTable(
        ("cheap", "dear"),
        tuple(prompts),
        np.array(outcomes),
        (),
        {"usd": np.tile([0.001, 0.010], (len(prompts), 1))},
        tasks=tuple(names),
        stages=tuple(stages),
    )
