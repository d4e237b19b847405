"""`modicum optimize`: which rules there are, and what they would do with calls of yours."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modicum.calls import Problem, UserError
from modicum.calls.problem import problem_rows
from modicum.calls.words.counted_nouns import number_of
from modicum.cli import shared_options as shared
from modicum.cli.anatomy import open_ledger_or_logs
from modicum.cli.inputs.chosen_calls import ChoiceOptions, choice_options
from modicum.cli.inputs.found_logs import join_found
from modicum.cli.inputs.log_reading import print_problems
from modicum.cli.optimizing.report import report
from modicum.cli.terminal import output
from modicum.cli.terminal.verb_group import WholeLines
from modicum.library import resources
from modicum.library.choosing import choose_from
from modicum.settings import agent_limits_of, read_settings, rule_choice_of, user_zone
from modicum.settings.optimize import draw_none

if TYPE_CHECKING:
    from modicum.insights.rules.rule_explanations import ChosenFeatures, RuleExplanation
    from modicum.optimizers.rule_choice import RuleChoice
    from modicum.settings import OptimizeSettings, Settings

MOST_REASONS = 4
LONGEST_NAME = 256
"""Of a file; what is longer was not meant as one."""


@dataclass(frozen=True, kw_only=True)
class ExplainOptions(shared.LogOptions, shared.SpanOptions, ChoiceOptions):
    call_id: str
    logs: tuple[Path, ...]
    requests: tuple[Path, ...]
    found: bool


@click.group(cls=WholeLines)
def command() -> None:
    """Show which rules would act on your calls, what each expects to save, and why others do not.

    \b
    Examples:
      modicum optimize list
      modicum optimize explain --log ~/.claude/projects
      modicum optimize explain CALL
      modicum optimize report
    """


command.add_command(report)


@command.command("list")
@shared.json_option
def list_rules(*, as_json: bool) -> None:
    """List all rules, how safe each is, and whether it is on.

    \b
    Examples:
      modicum optimize list --json
    """
    from modicum.calls.call import NOBODY
    from modicum.insights.rules.rule_explanations import AGENT_GUARD_PURPOSE, BEGINNINGS_PURPOSE, CACHE_TTL_PURPOSE
    from modicum.optimizers.all_rules import RULES
    from modicum.optimizers.rule_choice import AGENT_GUARD, BEGINNINGS, CACHE_TTL, KEEP_WARM

    every = read_settings()
    settings = every.optimize
    choice = rule_choice_of(settings, draw_none, RULES)
    rows = [
        {
            "rule": rule.name,
            "safety": str(rule.safety or ""),
            "cache_safe": rule.is_cache_safe,
            "on": choice is not None and not choice.why_off(rule, NOBODY),
            "purpose": rule.purpose,
        }
        for rule in RULES
    ]
    on = settings.enabled and agent_limits_of(every.agent_guard, NOBODY) is not None
    rows.append({"rule": AGENT_GUARD, "safety": "lossy", "cache_safe": True, "on": on, "purpose": AGENT_GUARD_PURPOSE})
    on = settings.beginnings_wait_for(NOBODY) > 0
    rows.append({"rule": BEGINNINGS, "safety": "lossless", "cache_safe": True, "on": on, "purpose": BEGINNINGS_PURPOSE})
    on = settings.cache_ttl_for(NOBODY) != "leave"
    rows.append({"rule": CACHE_TTL, "safety": "lossless", "cache_safe": True, "on": on, "purpose": CACHE_TTL_PURPOSE})
    purpose = "renews caches of pausing conversations"
    on = settings.keeps_warm_for(NOBODY)
    rows.append({"rule": KEEP_WARM, "safety": "lossless", "cache_safe": True, "on": on, "purpose": purpose})
    if as_json:
        output.print_json({"enabled": settings.enabled, "rules": rows})
        return
    columns = ("rule", "safety", "on", "what it does")
    cells = [(str(row["rule"]), str(row["safety"]), "yes" if row["on"] else "no", str(row["purpose"])) for row in rows]
    output.print_table(columns, cells, left=4)
    if not settings.enabled:
        click.echo("no rule runs: optimize.enabled is false in modicum.toml")


@command.command()
@click.argument("call_id", metavar="[CALL]", default="")
@click.option(
    "--log", "logs", multiple=True, metavar="FILE", type=click.Path(path_type=Path), help="Logs to look at instead."
)
@click.option(
    "--requests",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Recorded requests, for the rules that read them whole. Nothing is kept.",
)
@shared.found_option
@shared.span_options()
@choice_options
@shared.source_option
@shared.strict_option
@shared.json_option
@shared.prices_option
@shared.ledger_option
@shared.pass_options(ExplainOptions)
def explain(options: ExplainOptions) -> None:
    """Explain for a call of the ledger, or for all of it or of logs, what every rule would do and why not.

    CALL is a call's id, or how it begins. A ledger holds no text: rules that read it say so. Nothing is changed.

    \b
    Examples:
      modicum optimize explain gateway:5f2a
      modicum optimize explain --log ~/.claude/projects --since 7d
      modicum optimize explain --requests recorded.jsonl
    """
    from modicum.insights.rules.rule_explanations import explain as explain_rules

    settings = read_settings()
    if 0 < len(options.call_id) < LONGEST_NAME and Path(options.call_id).exists():
        raise UserError(f"{options.call_id} is a file or folder, and no call: name it as --log {options.call_id}")
    for path in (*options.logs, *options.requests):
        if not path.exists():
            raise UserError(f"there is no file {path}")
    if options.requests:
        _explain_requests(options, settings)
        return
    problems: list[Problem] = []
    zone = user_zone(settings.timezone).zone
    span, conditions = options.span(zone), options.conditions()
    with (
        open_ledger_or_logs(join_found(options.logs, found=options.found), options, settings, problems) as whole,
        choose_from(whole, conditions, zone) as store,
    ):
        prices = resources.load_prices(options.price_path, settings)
        choice, chosen = _choice_of_all(settings.optimize), _chosen_features(settings)
        try:
            rows = explain_rules(store, choice, prices, span, chosen, options.call_id)
        except UserError:
            print_problems(problems, strict=False)  # they may say why there is nothing to look at
            raise
        prices.save()
    if options.as_json:
        output.print_json({"rules": rows, "problems": problem_rows(problems)})
    else:
        _print(rows)
    print_problems(problems, strict=options.strict, quiet=options.as_json)


def _explain_requests(options: ExplainOptions, settings: "Settings") -> None:
    """What rules that read whole requests would do with recorded ones.

    Raises:
        UserError: no request is there, or calls were named beside.
    """
    from modicum.importers.recorded.requests import read_requests
    from modicum.insights.rules.recorded_requests import try_rules

    if options.call_id or options.logs or options.found:
        raise UserError("--requests stands alone: leave out CALL, --log and --found")
    problems: list[Problem] = []
    found = []
    zone = user_zone(settings.timezone).zone
    since, until = options.span(zone)
    for one in (one for path in options.requests for one in read_requests(path)):
        if isinstance(one, Problem):
            problems.append(one)
        elif since <= one.at < until:
            found.append(one)
    if not found:
        print_problems(problems, strict=False)
        raise UserError(
            "there is no request in these files: one JSON object a line, either the body that is sent (model, messages "
            'or input) or {"timestamp": ..., "request": BODY, "response": BODY}'
        )
    prices = resources.load_prices(options.price_path, settings)
    trials = try_rules(found, _choice_of_all(settings.optimize), prices)
    prices.save()
    if options.as_json:
        output.print_json({"rules": trials.rules, "problems": problem_rows(problems)})
    else:
        _print(trials.rules)
        for rule, tokens in trials.read_more.items():
            output.print_text(f"{rule}: {number_of(tokens, 'token')} more would be read from a cache")
        if trials.requests_counted:
            output.print_text(
                f"as they came, {number_of(trials.read_as_worked_out, 'token')} by calculation read from caches in "
                f"the {number_of(trials.requests_counted, 'request')} whose reply has a count; the provider counted "
                f"{trials.read_as_counted:,}. Both figures of a rule are upper ends: a provider may forget earlier"
            )
    print_problems(problems, strict=options.strict, quiet=options.as_json)


def _chosen_features(settings: "Settings") -> "ChosenFeatures":
    """What was chosen beside the rules; where the one switch is off, a guard rests too."""
    from modicum.insights.rules.rule_explanations import ChosenFeatures

    optimize = settings.optimize
    return ChosenFeatures(
        optimize.keeps_warm,
        optimize.shares_beginnings,
        optimize.widest_ttl_choice,
        bool(settings.semantic_cache),
        partial(agent_limits_of, settings.agent_guard if optimize.enabled else ()),
    )


def _choice_of_all(settings: "OptimizeSettings") -> "RuleChoice":
    """All rules, also where the one switch is off: then each says so."""
    from modicum.optimizers.all_rules import RULES
    from modicum.optimizers.rule_choice import ALL, OwnerChoice, RuleChoice

    choice = rule_choice_of(settings, draw_none, RULES)
    return RuleChoice(RULES, (OwnerChoice(off=(ALL,)),)) if choice is None else choice


def _print(rows: "list[RuleExplanation]") -> None:
    from modicum.insights.rules.rule_explanations import SEMANTIC_CACHE

    cells = [
        (
            row.rule,
            row.safety,
            *_figures(row),
            output.dollars_of(row.expected_usd) if row.calls or row.calls_undecided else "",
        )
        for row in rows
    ]
    output.print_table(("rule", "safety", "would act", "is on", "tokens less", "expected net"), cells, left=2)
    alike: dict[tuple[str, int], list[str]] = {}
    for row in rows:
        for reason, calls in list(row.why_not.items())[:MOST_REASONS]:
            alike.setdefault((reason, calls), []).append(row.rule)
    for (reason, calls), rules in alike.items():
        output.print_text(f"{', '.join(rules)}: {number_of(calls, 'call')}: {reason}")
    if any(row.calls_undecided for row in rows if row.rule != SEMANTIC_CACHE):
        output.print_text(
            "unknown: no text is kept, so nothing is said of rules that read it in calls of the gateway. Of logs, "
            "rules on tool results were counted while these were read; 'modicum audit [PATH] --what-if rules=NAME' "
            "replays one. All are seen at work in the gateway: choose one in [optimize], and "
            "'modicum optimize report' compares tasks that have it with those that are held out."
        )


def _figures(row: "RuleExplanation") -> tuple[str, str, str]:
    """Where nothing can be said, that is no 0."""
    if row.calls_undecided and not row.calls:
        return "unknown", "unknown", "unknown"
    return output.count(row.calls), output.count(row.calls_on), output.count(row.tokens_removed)
