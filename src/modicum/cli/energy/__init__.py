"""`modicum energy`: what tokens cost in joules on servers that you run yourself. One file per verb beside this one."""

import click

from modicum.cli.terminal.verb_group import VerbGroup

VERBS = {
    "watch": "Measure tokens per second and joules per token of a running server.",
    "bench": "Load a server and measure times, rates and joules per token.",
    "fit": "Compute what a step and a token cost, from a bench or a recorded watch.",
    "whatif": "Predict what another batch, shorter outputs or fewer prompt tokens would save.",
    "calls": "Divide the energy of a watch among calls; carbon.",
    "rates": "Show what tokens drew, as rows for budgets in joules.",
    "estimate": "Estimate the energy of calls to closed APIs, within wide bounds.",
}


class EnergyVerbs(VerbGroup):
    package, verbs = "modicum.cli.energy", VERBS


@click.group(cls=EnergyVerbs)
def command() -> None:
    """Measure the energy of models that you run yourself, divide it among calls, and predict changes.

    \b
    Examples:
      modicum energy watch --server http://127.0.0.1:8000 --log run.jsonl
      modicum energy bench --server http://127.0.0.1:8000 --model m --concurrency 1,8,64
      modicum energy whatif run.jsonl --output-cut 20%
    """
