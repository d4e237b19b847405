"""What the reader of an audit can do first, and what conversations of each project begin with."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from modicum.calls.outside.one_line import one_line
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli.terminal import output

if TYPE_CHECKING:
    from modicum.insights.advice.first_steps import AdvisedStep
    from modicum.insights.advice.project_beginnings import ProjectBeginning

STEPS_SHOWN = 3
PROJECTS_SHOWN = 8
PARTS_SHOWN = 6
SURE = frozenset({"exact", "replayed"})
"""Classes of what needs no experiment."""


def print_steps(steps: "Sequence[AdvisedStep]", print_examples: Callable[[str], None]) -> None:
    """The first three that the reader can take, the others by name, and what only the vendor can change.

    Args:
        steps: in their order.
        print_examples: prints calls of a finding to look at, by its name.
    """
    own = [step for step in steps if step.who == "you"]
    for number, step in enumerate(own[:STEPS_SHOWN], 1):
        print_step(number, step)
        print_examples(step.finding)
    if more := own[STEPS_SHOWN:]:
        output.print_text(f"  also: {'; '.join(map(describe_saving, more))}")
    for step in steps:
        if step.who != "you":
            output.print_text(f"  only the vendor can: {describe_saving(step)}. {step.how}")
    if any(step.place for step in own):
        output.print_text("  'modicum fix' shows these as changes of your files, and makes those that you agree to")


def print_step(number: int, step: "AdvisedStep") -> None:
    """One of them: what it saves, how, and what to paste."""
    output.print_text(f"  {number}. {describe_saving(step)}, by replay of this history")
    output.print_text(f"     {step.client}: {step.how}")
    if step.paste:
        output.print_text(f"     {f'into {step.place}' if step.place else 'type'}: {step.paste}")


def describe_saving(step: "AdvisedStep") -> str:
    """What it saves, and how sure that is: what only an experiment can prove is not worded like a replay."""
    dollars, share = output.dollars_of(step.saving_usd), percent(step.saving_share)
    if step.finding_class.value in SURE:
        return f"{step.title}: {dollars}, {share}"
    return f"{step.title}: at most {dollars}, {share} ({step.finding_class.value.replace('_', ' ')})"


def print_beginnings(rows: "Sequence[ProjectBeginning]") -> None:
    """What every conversation of a project begins with, beside the leanest project."""
    output.print_text("")
    shown = rows[:PROJECTS_SHOWN]
    output.print_table(
        [
            "what conversations begin with (D2)",
            "conversations",
            "median tokens",
            "above leanest",
            "cost",
            "of that above",
        ],
        [
            [
                _name_of(row, rows),
                output.count(row.conversations),
                output.count(row.median_tokens),
                output.count(row.excess_tokens),
                output.dollars_of(row.cost_usd),
                output.dollars_of(row.excess_usd),
            ]
            for row in shown
        ],
    )
    if more := len(rows) - len(shown):
        output.print_text(f"... and {number_of(more, 'more project')}; --json has all")
    output.print_text(f"  beginnings of subagents: {output.dollars_of(sum(row.subagents_usd for row in rows))}")
    for row in (one for one in shown if one.excess_tokens):
        parts = [f"{name} {number_of(tokens, 'token')}" for name, tokens in list(row.parts.items())[:PARTS_SHOWN]]
        if parts:
            output.print_text(f"  {_name_of(row, rows)}: {one_line(', '.join(parts))}")
        if row.servers:
            servers = ", ".join(f"{name} ({number_of(calls, 'call')})" for name, calls in row.servers.items())
            output.print_text(
                f"  {_name_of(row, rows)}: MCP servers whose tools were called: {servers}; no call went to any other"
            )


def _name_of(row: "ProjectBeginning", rows: "Sequence[ProjectBeginning]") -> str:
    """The project, and its agent where there are several."""
    name = row.project or "(no project)"
    return one_line(name if len({one.client for one in rows}) == 1 else f"{name} ({row.client})")
