"""`modicum energy estimate`: a guess at the energy of calls to closed APIs."""

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
    """Guess the energy of calls to a closed API, without an interval: none can be known (extra [footprint]).

    \b
    Examples:
      modicum energy estimate --provider anthropic --model claude-sonnet-4-5 --output-tokens 800 --seconds 12
    """
    from modicum.cli.terminal.output import print_json
    from modicum.energy.closed_api import TRUTH_SEEN, estimate

    found = estimate(provider, model, output_tokens, seconds)
    if as_json:
        print_json(found)
        return 0
    click.echo(f"a guess: {format_figure(found.joules, 'J')} ({found.joules / 3600:.3g} Wh; {found.source})")
    least, most = TRUTH_SEEN
    click.echo(
        f"no interval: its error is not known. On open models that were measured the formula was {least:g} to {most:g}"
        " times the truth; of a closed one the size is guessed too. Do not report it as measured"
    )
    click.echo("not included, or assumed:")
    for text in found.left_out:
        click.echo(f"  {text}")
    return 0
