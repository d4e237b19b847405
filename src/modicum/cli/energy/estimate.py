"""`modicum energy estimate`: the energy of calls to closed APIs, as a wide range."""

import click

from modicum.cli.energy.options import format_figure
from modicum.cli.shared_options import json_option
from modicum.cli.terminal.quantity import Quantity


@click.command()
@click.option("--provider", required=True, help="openai, anthropic, mistralai, cohere, google_genai, huggingface_hub.")
@click.option("--model", required=True, help="Model name, as the provider calls it.")
@click.option("--output-tokens", type=click.IntRange(1), required=True, help="Generated tokens, reasoning included.")
@click.option("--seconds", type=Quantity(0, min_open=True), required=True, help="How long the calls took.")
@json_option
def command(provider: str, model: str, output_tokens: int, seconds: float, as_json: bool) -> int:
    """Estimate the energy of calls to a closed API, as a range that is wide on purpose (extra [footprint]).

    \b
    Examples:
      modicum energy estimate --provider anthropic --model claude-sonnet-4-5 --output-tokens 800 --seconds 12
    """
    from modicum.cli.terminal.output import print_json
    from modicum.energy.closed_api import BAND, estimate

    found = estimate(provider, model, output_tokens, seconds)
    if as_json:
        print_json(found)
        return 0
    click.echo(
        f"estimated: {format_figure(found.low_joules, 'J')} to {format_figure(found.high_joules, 'J')}, central value"
        f" {format_figure(found.middle_joules, 'J')} ({found.source}, made {BAND:g} times wider on both sides)"
    )
    click.echo("not included, or assumed:")
    for text in found.left_out:
        click.echo(f"  {text}")
    return 0
