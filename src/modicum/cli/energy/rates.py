"""`modicum energy rates`: what tokens drew on watched servers, as rows for budgets in joules."""

from dataclasses import dataclass

import click

from modicum.calls.errors import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli import shared_options as shared
from modicum.ledger.records import ENERGY_WINDOWS
from modicum.library import resources
from modicum.settings import read_settings, user_zone


@dataclass(frozen=True, kw_only=True)
class RatesOptions(shared.LedgerOptions, shared.SpanOptions):
    as_json: bool


@click.command()
@shared.span_options("windows of the ledger")
@shared.json_option
@shared.ledger_option
@shared.pass_options(RatesOptions)
def command(options: RatesOptions) -> None:
    """Show what a token of each watched model drew, as rows [[energy]] of modicum.toml for budgets in joules.

    Idle energy is in it: the tokens of all windows together come to what was measured. A mean over what was served: a
    call alone on a server draws more than its rate says. Models that shared their servers are left out.

    \b
    Examples:
      modicum energy rates --since 7d
      modicum energy rates --json
    """
    from modicum.cli.energy.window_booking import book_spooled_windows
    from modicum.cli.terminal.output import print_json
    from modicum.insights.budgets.measured_rates import measure_rates

    settings = read_settings()
    since, until = options.span(user_zone(settings.timezone).zone)
    book_spooled_windows(options.ledger_url)
    with resources.open_ledger(options.ledger_url, settings) as store:
        place, windows = store.place, store.records(ENERGY_WINDOWS, since, until)
    rates = measure_rates(windows)
    if options.as_json:
        print_json({"rates": rates})
        return
    if not rates:
        raise UserError(
            f"the ledger {place} holds no windows of a server with one known model in that time; 'modicum energy watch "
            "--server URL' books them"
        )
    for rate in rates:
        if rate.reason:
            click.echo(f"# {rate.model}: {rate.reason}")
            continue
        error = "" if rate.mean_error is None else f", a window off by {percent(rate.mean_error, 0)} on the mean"
        click.echo(
            f"# {rate.joules:,.0f} J in {number_of(rate.windows, 'window')}{error}; a call alone draws more: add what "
            "you can spare"
        )
        click.echo(f'[[energy]]\nmodel = "{rate.model}"')
        click.echo(f"joules_per_prompt_token = {rate.joules_per_prompt_token:.4g}")
        click.echo(f"joules_per_generated_token = {rate.joules_per_generated_token:.4g}\n")
