"""`modicum hooks`: coding agents' own hooks, which make what tools return shorter before the model sees it."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli import shared_options as shared
from modicum.cli.terminal import output
from modicum.cli.terminal.verb_group import WholeLines
from modicum.settings import data_folder

if TYPE_CHECKING:
    from modicum.hooks.agents import HookedAgent
    from modicum.hooks.policy import HookPolicy

NAMES = ("claude-code", "gemini-cli", "codex", "opencode")
agent_argument = click.argument("name", metavar="AGENT", type=click.Choice(NAMES))
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group(cls=WholeLines)
def command() -> None:
    """Make results of a coding agent's tools shorter, by hooks in your own settings of it.

    Hooks watch first and record what they would have saved, without any text; they act once you say with which rules.

    \b
    Examples:
      modicum hooks install claude-code
      modicum hooks status
      modicum hooks act claude-code --rule content.log_fold
      modicum hooks remove claude-code
    """


@command.command()
@agent_argument
@click.option("--no-status-line", is_flag=True, help="Claude Code: leave its status line alone.")
@yes_option
def install(*, name: str, no_status_line: bool, yes: bool) -> None:
    """Show what would be added to your settings of an agent, and add it when you agree.

    \b
    Examples:
      modicum hooks install claude-code
      modicum hooks install gemini-cli --yes
    """
    from modicum.hooks import installing

    agent = _agent(name)
    file = installing.settings_file(agent, Path.home(), os.environ)
    plan = installing.plan_hooks(agent, file, _folder(), sys.executable, with_status_line=not no_status_line)
    output.print_text(f"to be added to {file}:")
    click.echo(plan.after.decode() if agent.is_plugin else json.dumps(plan.added, indent=2))
    if plan.left_out:
        output.print_text(f"left out: {plan.left_out}")
    output.print_text("The hooks watch and record sizes; nothing is changed until 'modicum hooks act' says so.")
    _agree(yes)
    installing.install(plan, _folder())
    output.print_text(f"installed; 'modicum hooks remove {name}' restores the file to the byte")
    if agent.after_install:
        output.print_text(agent.after_install)


@command.command()
@agent_argument
@click.option("--rule", "rules", multiple=True, metavar="RULE", help="A rule that acts, or a family; may come again.")
@click.option(
    "--hold-out",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.1,
    show_default=True,
    help="Share of sessions on which they do not act, to compare with.",
)
@yes_option
def act(*, name: str, rules: tuple[str, ...], hold_out: float, yes: bool) -> None:
    """Let hooks change results, with rules that you choose beside those that lose nothing.

    Sessions are held out by lot, whole.

    \b
    Examples:
      modicum hooks act claude-code
      modicum hooks act claude-code --rule content.log_fold --rule content.repeats --hold-out 0.2
    """
    from modicum.calls.call import NOBODY
    from modicum.hooks.policy import write_policy
    from modicum.optimizers.all_rules import CONTENT_RULES
    from modicum.sdk.optimizing import choose_rules

    agent, policy = _agent(name), _policy(name)
    if not agent.can_replace:
        raise UserError(f"{agent.title} lets no hook replace what a tool returned: its hooks can only watch")
    choice = choose_rules(on=rules)
    _check_acts(rules)
    chosen = [rule for rule in CONTENT_RULES if not choice.why_off(rule, NOBODY)]
    for rule in chosen:
        output.print_text(f"{rule.name} ({rule.safety}): {rule.purpose}")
    _agree(yes)
    write_policy(_folder(), name, policy._replace(rules=tuple(rule.name for rule in chosen), hold_out=hold_out))
    output.print_text(f"these rules act from now on, but in {percent(hold_out, 0)} of sessions")


@command.command()
@agent_argument
def observe(*, name: str) -> None:
    """Let hooks only watch again.

    \b
    Examples:
      modicum hooks observe claude-code
    """
    from modicum.hooks.policy import write_policy

    write_policy(_folder(), name, _policy(name)._replace(rules=()))
    output.print_text("nothing is changed any more")


@command.command()
@shared.json_option
def status(*, as_json: bool) -> None:
    """Show what hooks did or would have done, by rule. Characters are counted; four are about a token.

    \b
    Examples:
      modicum hooks status --json
    """
    from modicum.hooks import records
    from modicum.hooks.installing import installed_by
    from modicum.hooks.policy import read_policy

    rows = []
    for name in NAMES:
        policy, sums = read_policy(_folder(), name), records.sums(_folder(), name)
        rules = policy.rules if policy is not None else ()
        sessions = records.sessions(_folder(), name)
        row = {
            "agent": name,
            "installed_by": installed_by(_folder(), _agent(name)),
            "rules_that_act": rules,
            "hold_out": policy.hold_out if policy is not None else None,
            "sessions": sessions,
            "rules": [one._asdict() for one in sums],
            "faults": records.faults(_folder(), name),
        }
        rows.append(row)
        if not as_json and (row["installed_by"] or sums):
            output.print_text(
                f"{name}: {number_of(sessions, 'session')} with something to save; "
                f"rules that act: {', '.join(rules) or 'none, they watch'}"
            )
            cells = [
                (one.rule, one.arm, *map(output.count, (one.results, one.characters, one.removed))) for one in sums
            ]
            output.print_table(("rule", "sessions", "results", "characters", "fewer by"), cells, left=2)
            for fault, times in records.faults(_folder(), name).items():
                output.print_text(f"{fault}: {times:,} times; those results stayed as they were")
    if as_json:
        output.print_json({"agents": rows})
    elif not any(row["installed_by"] for row in rows):
        output.print_text("no hooks are installed: 'modicum hooks install claude-code' shows what it would add")


@command.command("remove")
@agent_argument
@click.option("--only-ours", is_flag=True, help="Take our entries out of a file that was changed since.")
def remove_hooks(*, name: str, only_ours: bool) -> None:
    """Restore your settings of an agent to the bytes that they were.

    \b
    Examples:
      modicum hooks remove claude-code
    """
    from modicum.hooks.installing import remove

    output.print_text(f"{remove(_agent(name), _folder(), only_ours=only_ours)} is as it was, without hooks of ours")


def _agent(name: str) -> "HookedAgent":
    from modicum.hooks.agents import AGENTS

    return AGENTS[name]


def _folder() -> Path:
    return data_folder() / "hooks"


def _policy(name: str) -> "HookPolicy":
    from modicum.hooks.policy import read_policy

    policy = read_policy(_folder(), name)
    if policy is None:
        raise UserError(f"no hooks are installed for {name}: 'modicum hooks install {name}'")
    return policy


def _check_acts(names: tuple[str, ...]) -> None:
    """Refuses rules that no hook can run.

    Raises:
        UserError: a name is of none that acts on the text of one result.
    """
    from modicum.optimizers.all_rules import CODE_RULES, CONTENT_RULES
    from modicum.optimizers.rule_choice import ALL

    of_hooks = {rule.name for rule in CONTENT_RULES}
    for name in names:
        if name in {rule.name for rule in CODE_RULES}:
            raise UserError(
                f"{name} cannot act in hooks: agents number the lines of files themselves and quote them in edits, so "
                f'hooks leave files whole; behind the gateway on = ["{name}"] in [optimize] runs it'
            )
        if name != ALL and name not in of_hooks | {rule.partition(".")[0] for rule in of_hooks}:
            raise UserError(
                f"{name} cannot act in hooks: it looks at more than the text of one result; behind the gateway on = "
                f'["{name}"] in [optimize] runs it'
            )


def _agree(yes: bool) -> None:
    if not yes:
        click.confirm("go on?", abort=True)
