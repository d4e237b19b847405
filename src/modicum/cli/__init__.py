"""The command line: one file per verb, loaded when it is called. The only place that wires rooms together."""

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from modicum import __version__
from modicum.calls.errors import UserError
from modicum.calls.outside.fault_hints import OF_THE_MACHINE, hint_of_data_fault
from modicum.calls.outside.one_line import one_line
from modicum.calls.outside.storable import storable
from modicum.cli.terminal.verb_group import VerbGroup
from modicum.library.file_permissions import private_files

VERBS = {
    "audit": "Show where the money went, what was wasted, and what each change would have saved.",
    "bill": "Show what was spent, from logs or from the ledger.",
    "blocks": "Show the five-hour blocks and weeks of a subscription, and what the open ones come to.",
    "show": "Show one call, session or finding: its calls, lost caches, and what stood between.",
    "live": "Show agents' sessions as they run, from their own logs; no gateway is needed.",
    "advise": "Show cheaper models for each kind of call, with the evidence there is.",
    "fix": "Change your own settings of an agent where a replay says that it saves, and take it back.",
    "anatomy": "Show what prompts consisted of, and what each part cost.",
    "forecast": "Show what this month will come to, with the interval in which it is to end.",
    "statement": "Show what each team, client or app owes for a month, by stated rules.",
    "reconcile": "Set the ledger beside a provider's usage and cost reports, with likely causes.",
    "export": "Write what was charged as rows of FOCUS, for finance: focus.",
    "exposure": "Show what was sent to whom, with counts of secrets and personal data in it.",
    "import": "Put logs into the ledger.",
    "watch": "Import logs continuously while agents write them.",
    "init": "Write a settings file to start from.",
    "up": "Run the gateway, which meters and records every call.",
    "console": "Show the ledger in a browser: spend, waste, tasks, models, budgets.",
    "mcp": "Answer questions of agents about their cost, over the Model Context Protocol.",
    "mock": "Run a provider for trying things out without a key.",
    "top": "Show what the gateway does now.",
    "headroom": "Show what is left of the providers' own limits, and how many more users fit.",
    "budget": "Show what is spent and left of budgets; raise one for a while.",
    "policy": "Show what calls may be by policy.toml, try it on the past, and who changed it.",
    "alert": "Show what people were alerted of, and try the webhook: list, test.",
    "monitoring": "Write rules and scrapes for Prometheus and a dashboard for Grafana.",
    "key": "Manage keys of the gateway: create, list, revoke, log.",
    "user": "Manage who may look at the console and change what: add, list, link, password, remove.",
    "token": "Manage tokens with which programs use the console's API: create, list, revoke.",
    "doctor": "Check the installation, and say what to type next.",
    "backup": "Back up what gateways recorded, while they run, and restore it: create, restore.",
    "ledger": "Manage the ledger: info, purge, erase, copy.",
    "outcome": "Record what came of tasks: import, record, from-git, from-pull-requests, early-signs, list.",
    "yield": "Show outcomes per million tokens, and cost per outcome.",
    "compare": "Compare models, agents, prompts or savers on the same tasks, with intervals and verdicts.",
    "check": "Fail a change that raises tokens or cost per resolved task, and say why.",
    "estimate": "Price a design before it is built, and set it beside the bill afterwards.",
    "trial": "Run a command with and without a token saver on the same tasks, and judge it.",
    "route": "Learn which model a prompt needs, and show how good that is: train, eval, decide.",
    "experiment": "Try a change on live tasks with a hold-out, and take it back if outcomes suffer.",
    "optimize": "Show which rules would act on your calls, what each expects to save, and why others do not.",
    "cache": "Show whether prompt caches are warm, and what the next turn costs cold.",
    "hooks": "Make results of coding agents' tools shorter, by hooks in your own settings of them.",
    "prices": "Show what a model costs and cost, and what the past would cost at other prices.",
    "count": "Count tokens and price of a text for several models, with the error of the count.",
    "fit": "Check whether a codebase fits a context window, and what sending it costs.",
    "calibrate": "Calibrate token counts of Claude and Gemini with your own logs.",
    "team": "Measure what each agent of a team adds, and plan which ones to drop.",
    "energy": "Measure energy of models you run: watch, bench, fit, whatif, calls, estimate.",
    "plan": "Compute the memory of a model before you start it: memory, compare, models.",
    "tco": "Compare an own or rented machine with an API, in dollars per million tokens.",
}
"""Every verb and its one line of help, so that `modicum --help` need not load them. `cli/VERB.py` holds `command`."""

FILES = {
    "advise": "advising.verb",
    "alert": "alerts",
    "blocks": "plan_usage.verb",
    "budget": "budgets",
    "live": "plan_usage.live",
    "check": "builds.check",
    "estimate": "builds.estimate",
    "cache": "caching.verbs",
    "compare": "comparison.verb",
    "console": "console.verb",
    "export": "exporting",
    "fix": "fixing.verb",
    "forecast": "forecasting.verb",
    "headroom": "limits.headroom",
    "hooks": "hooks.verbs",
    "import": "import_logs",
    "mcp": "mcp_server.verb",
    "monitoring": "monitoring.verb",
    "optimize": "optimizing.verbs",
    "policy": "policies.verbs",
    "yield": "yields",
    "reconcile": "reconciling.verb",
    "route": "routing.verbs",
    "show": "showing.verb",
    "statement": "statements.verb",
    "team": "team.verbs",
    "experiment": "experiments.verbs",
    "trial": "trials.verb",
    "token": "access.tokens",
    "user": "access.users",
}
"""Verbs whose file cannot have their name."""


class Verbs(VerbGroup):
    package, verbs, files = "modicum.cli", VERBS, FILES

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            import difflib

            near = difflib.get_close_matches(args[0], VERBS, n=1) if args else []
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"There is no verb '{args[0]}'.{hint} 'modicum --help' lists them.", ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # A reader that went away (`modicum bill | head`) is no failure, though click and rich would make status 1
            # of it.
            _discard_stdout()
            return 0


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    subcommand_metavar="VERB [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="modicum")
@click.pass_context
def modicum(ctx: click.Context) -> None:
    """Find where your LLM tokens go, cut the ones that buy nothing, and prove that outcomes held.

    Without a verb: what the agent logs of your home directory cost, on what, and what to do about it.
    Every verb has its own --help with examples, and --json prints figures for programs.
    Shell completion: eval "$(_MODICUM_COMPLETE=bash_source modicum)", or zsh_source, fish_source.
    """
    if ctx.invoked_subcommand is None:
        from modicum.cli.overview.first_screen import show_first_screen

        show_first_screen()


def main(args: list[str] | None = None) -> NoReturn:
    """Runs the command. A `UserError`, and a file that the system does not give or take, is one line and status 2;
    Ctrl-C is status 130 and no trace.
    """
    try:
        with private_files():
            result: Any = modicum.main(args=args, prog_name="modicum", standalone_mode=False)
    except UserError as error:
        click.echo(f"modicum: {one_line(str(error))}", err=True)
        _drop_unwritten()
        raise SystemExit(2) from None
    except OSError as error:
        click.echo(f"modicum: {_system_fault(error)}", err=True)
        _drop_unwritten()
        raise SystemExit(2) from None
    except click.exceptions.Exit as stop:
        raise SystemExit(stop.exit_code) from None
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        raise SystemExit(130) from None
    raise SystemExit(result if isinstance(result, int) else 0)


def _drop_unwritten() -> None:
    """What a full disk did not take of stdout is not tried again."""
    try:
        sys.stdout.flush()
    except OSError:
        _discard_stdout()


def _discard_stdout() -> None:
    """Python would complain again, with a status of its own, while it closes what it could not write."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _system_fault(error: OSError) -> str:
    """A file that the system does not give or take, or a disk that is full or broken, as one line.

    Raises:
        OSError: it is neither, so a bug of ours.
    """
    from modicum.settings.folders import data_folder

    of_the_machine = error.errno in OF_THE_MACHINE
    if error.strerror is None or isinstance(error, ConnectionError) or not (error.filename or of_the_machine):
        raise error
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    place = f"{storable(name)}: " if name else ""
    hint = "; 'modicum doctor' looks at disk and files" if of_the_machine else ""
    ours = data_folder()
    if name and not of_the_machine and (Path(name).is_relative_to(ours) or ours.is_relative_to(name)):
        hint = f"; {hint_of_data_fault(error)}"
    return one_line(f"{place}{error.strerror}") + hint
