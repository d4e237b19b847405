"""`modicum energy estimate`: a wide band for calls to closed APIs."""

import click

from modicum.cli.energy.options import format_figure
from modicum.cli.shared_options import json_option
from modicum.cli.terminal.quantity import Quantity


@click.command()
@click.option("--provider", required=True, help="openai, anthropic, mistralai, cohere, google_genai, huggingface_hub.")
@click.option("--model", required=True, help="Model, as the provider calls it.")
@click.option("--output-tokens", type=click.IntRange(1), required=True, help="Generated tokens, reasoning included.")
@click.option("--seconds", type=Quantity(0, min_open=True), required=True, help="How long the calls took.")
@json_option
def command(provider: str, model: str, output_tokens: int, seconds: float, as_json: bool) -> int:
    """Estimate the energy of calls to a closed API, in a band that is wide on purpose (extra [footprint]).

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
        f"estimated: {format_figure(found.low_joules, 'J')} to {format_figure(found.high_joules, 'J')}, middle"
        f" {format_figure(found.middle_joules, 'J')} ({found.source}, widened {BAND:g} times both ways)"
    )
    click.echo("left out or guessed:")
    for text in found.left_out:
        click.echo(f"  {text}")
    return 0
