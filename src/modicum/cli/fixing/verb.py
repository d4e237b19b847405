"""`modicum fix`: what would change in your own files, by dollars on your own log; changed if you say so."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modicum.calls import Problem, UserError
from modicum.calls.errors import unknown_name
from modicum.calls.outside.one_line import one_line
from modicum.calls.problem import problem_rows
from modicum.cli import shared_options as shared
from modicum.cli.inputs.chosen_calls import ChoiceOptions, choice_options
from modicum.cli.inputs.log_reading import print_problems
from modicum.cli.terminal import output
from modicum.cli.terminal.audit_steps import describe_saving
from modicum.cli.terminal.verb_group import WholeLines
from modicum.settings import data_folder, read_settings, user_zone

if TYPE_CHECKING:
    from modicum.cli.fixing.applying import AppliedFix, PlannedFile
    from modicum.insights.advice.first_steps import AdvisedStep


class FixGroup(WholeLines):
    """`modicum fix PATHS` is `modicum fix show PATHS`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in {"-h", "--help"}):
            args.insert(0, "show")
        return super().parse_args(ctx, args)


@dataclass(frozen=True, kw_only=True)
class FixOptions(shared.LogOptions, shared.SpanOptions, ChoiceOptions):
    only: tuple[str, ...]
    file: Path | None
    found: bool
    apply: bool
    ask: bool


@click.group(cls=FixGroup)
def command() -> None:
    """Change your own settings of an agent where a replay of your log says that it saves, and take it back.

    Without a verb: show. Nothing is written without --apply or --ask.

    \b
    Examples:
      modicum fix ~/.claude/projects
      modicum fix --only cap-reads --apply
      modicum fix undo
    """


@command.command()
@click.option("--only", multiple=True, metavar="NAME", help="This change only; may be given several times.")
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    help="Change this file instead of your own: a project's .claude/settings.local.json, say.",
)
@click.option("--apply", is_flag=True, help="Make the changes that are shown.")
@click.option("--ask", is_flag=True, help="Ask for each file, and make the changes that you agree to.")
@shared.span_options()
@choice_options
@shared.found_option
@shared.log_options
@shared.pass_options(FixOptions)
def show(options: FixOptions) -> None:
    """Show each change as a diff, with the dollars of a replay on your log. Nothing is written.

    \b
    Examples:
      modicum fix show ~/.claude/projects
      modicum fix show --found --only cache-hour --only cap-reads --apply
      modicum fix show --ask
      modicum fix show --only cap-reads --file .claude/settings.local.json --apply
    """
    from modicum.cli.fixing.applying import apply, diff_document, fix_document

    problems: list[Problem] = []
    steps = _choose(_find_steps(options, problems), options.only)
    plans, refused = _plan(steps, options.file)
    chosen = [plan for plan in plans if not plan.is_nothing]
    if not options.as_json:
        _print_plans(steps, plans, refused)
    if options.ask:
        chosen = [plan for plan in chosen if click.confirm(f"change {plan.file}?")]
    made = [apply(plan, _folder()) for plan in chosen] if options.apply or options.ask else []
    if options.as_json:
        import msgspec

        output.print_json(
            {
                "steps": [msgspec.structs.asdict(step) for step in steps],
                "files": [diff_document(plan) for plan in plans],
                "refused": refused,
                "applied": [fix_document(one) for one in made],
                "problems": problem_rows(problems),
            }
        )
    else:
        _print_made(made)
        if chosen and not (options.apply or options.ask):
            output.print_text("nothing was written: --apply makes these changes, --ask asks for each file")
    print_problems(problems, strict=options.strict, quiet=options.as_json)
    if refused and (options.apply or options.ask):
        raise click.exceptions.Exit(2)


@command.command()
@click.option("--all", "is_all", is_flag=True, help="All changes that are in force, the newest first.")
def undo(*, is_all: bool) -> None:
    """Restore the bytes that a file had before the newest change; refuse where it was changed since.

    \b
    Examples:
      modicum fix undo
      modicum fix undo --all
    """
    from modicum.cli.fixing.applying import list_fixes
    from modicum.cli.fixing.applying import undo as take_back

    for _ in range(max(len(list_fixes(_folder())), 1) if is_all else 1):
        last = take_back(_folder())
        output.print_text(f"{last.file} is as it was before {', '.join(last.names)}")


@command.command()
def forget() -> None:
    """Forget the newest change without touching its file: for one that you took back by hand.

    \b
    Examples:
      modicum fix forget
    """
    from modicum.cli.fixing.applying import forget as forget_newest

    last = forget_newest(_folder())
    output.print_text(f"forgotten: {', '.join(last.names)} in {last.file}; the file stays as it is")


@command.command("list")
@shared.json_option
def list_made(*, as_json: bool) -> None:
    """Show the changes that are in force, oldest first.

    \b
    Examples:
      modicum fix list --json
    """
    from modicum.cli.fixing.applying import fix_document, list_fixes

    made = list_fixes(_folder())
    if as_json:
        output.print_json({"fixes": [fix_document(one) for one in made]})
    elif not made:
        output.print_text("no change of 'modicum fix' is in force")
    else:
        zone = user_zone(read_settings().timezone).zone
        output.print_table(
            ["file", "changes", "made"],
            [[one.file, ", ".join(one.names), f"{one.at.astimezone(zone):%Y-%m-%d %H:%M}"] for one in made],
            left=3,
        )


def _find_steps(options: FixOptions, problems: list[Problem]) -> "Sequence[AdvisedStep]":
    """The steps for the agent that made most of this history, by replay."""
    from modicum.cli.inputs.audit_answers import AuditQuestion, answer_audit
    from modicum.insights.advice.client_advice import load_client_advice

    _check_only(options.only)
    settings = read_settings()
    zone = user_zone(settings.timezone).zone
    paths = options.paths
    if options.found:
        from modicum.cli.inputs.found_logs import find_logs

        paths = (*paths, *find_logs())
    findings = dict.fromkeys(one.finding for one in load_client_advice())
    question = AuditQuestion(
        options=options,
        paths=paths,
        span=options.span(zone),
        zone=zone,
        only=tuple(findings),
        conditions=options.conditions(),
    )
    found = answer_audit(question, settings)
    problems += found.problems
    return found.audit.steps


def _check_only(names: Sequence[str]) -> None:
    """Before logs are read, which may take minutes."""
    from modicum.insights.advice.client_advice import load_client_advice

    accepted = list(dict.fromkeys(one.name for one in load_client_advice() if one.who == "you"))
    for name in names:
        if name not in accepted:
            raise unknown_name("change", name, accepted)


def _choose(steps: "Sequence[AdvisedStep]", only: Sequence[str]) -> "list[AdvisedStep]":
    """Those that this reader can take, and that were asked for."""
    own = [step for step in steps if step.who == "you" and (not only or step.name in only)]
    if missing := [name for name in only if name not in {step.name for step in own}]:
        raise UserError(
            f"{', '.join(missing)} would save nothing on this history, or is for another agent; without --only all "
            "that would save are shown"
        )
    return own


def _plan(steps: "Sequence[AdvisedStep]", named: Path | None) -> "tuple[list[PlannedFile], list[str]]":
    """A plan for each file, and what was refused."""
    from modicum.cli.fixing.applying import place_of, plan_file

    by_file: dict[Path, list[AdvisedStep]] = {}
    for step in steps:
        if step.place:
            by_file.setdefault(named or place_of(step, Path.home(), os.environ), []).append(step)
    if named and len({step.kind for step in steps if step.place}) > 1:
        raise UserError("--file takes changes of one kind: choose them with --only")
    plans, refused = [], []
    for file, own in by_file.items():
        try:
            plans.append(plan_file(file, own, is_named=named is not None))
        except UserError as error:
            refused.append(str(error))
    return plans, refused


def _print_plans(steps: "Sequence[AdvisedStep]", plans: "Sequence[PlannedFile]", refused: Sequence[str]) -> None:
    if not steps:
        output.print_text("nothing that you can set would save on this history; 'modicum audit' shows what was found")
    for step in steps:
        output.print_text(f"{step.name}: {describe_saving(step)}, by replay of this history")
        output.print_text(f"  {step.how}")
        if not step.place:
            output.print_text(f"  type: {step.paste}")
    for plan in plans:
        click.echo()
        lines = plan.diff().split("\n") if not plan.is_nothing else [f"{plan.file} has all of it already"]
        for line in lines:  # control characters of a file are shown, not obeyed
            click.echo("\t".join(map(one_line, line.split("\t"))))
        for line in plan.left_out:
            output.print_text(f"left out: {line}")
    for line in refused:
        output.print_text(f"refused: {line}")


def _print_made(made: "Sequence[AppliedFix]") -> None:
    for one in made:
        output.print_text(f"changed {one.file}; 'modicum fix undo' restores it to the byte")


def _folder() -> Path:
    return data_folder() / "fixes"
