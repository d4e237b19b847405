"""`modicum energy`: what tokens cost in joules on servers that one runs oneself. One file per verb beside this one."""

from importlib import import_module

import click

VERBS = {
    "watch": "Measure tokens per second and joules per token of a running server.",
    "bench": "Load a server and measure times, rates and joules per token.",
    "fit": "Compute what a step and a token cost, from a bench or a recorded watch.",
    "whatif": "Predict what another batch, shorter outputs or fewer prompt tokens would save.",
    "calls": "Divide the energy of a watch among calls; carbon.",
    "estimate": "Estimate the energy of calls to closed APIs, within wide bounds.",
}


class EnergyVerbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's interface
        if cmd_name not in VERBS:
            return None
        command = import_module(f"modicum.cli.energy.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 - a verb file without a command is a bug
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's interface
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=EnergyVerbs)
def command() -> None:
    """Measure the energy of models that you run yourself, divide it among calls, and predict changes.

    \b
    Examples:
      modicum energy watch --server http://127.0.0.1:8000 --log run.jsonl
      modicum energy bench --server http://127.0.0.1:8000 --model m --concurrency 1,8,64
      modicum energy whatif run.jsonl --output-cut 20%
    """
