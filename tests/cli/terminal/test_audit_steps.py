from datetime import date

import click

from modicum.cli.terminal.audit_steps import describe_saving, print_beginnings, print_steps
from modicum.insights.advice.first_steps import AdvisedStep
from modicum.insights.advice.project_beginnings import ProjectBeginning
from modicum.insights.finding import FindingClass


def step(name, usd, *, who="you", finding_class=FindingClass.HEADROOM, place="~/x.json"):
    return AdvisedStep(
        name=name,
        finding="carried_results",
        client="claude-code",
        title=f"Do {name}",
        who=who,
        how="So.",
        kind="json",
        place=place,
        paste='"a": 1',
        replay="finding",
        since="",
        source="https://example.org",
        checked=date(2026, 11, 30),
        finding_class=finding_class,
        saving_usd=usd,
        saving_share=usd / 100,
    )


def test_three_steps_are_shown_whole_and_the_others_named(capsys):
    steps = [step(name, usd) for name, usd in (("a", 9.0), ("b", 8.0), ("c", 7.0), ("d", 6.0))]

    print_steps([*steps, step("e", 50.0, who="vendor", place="")], lambda name: click.echo(f"look {name}"))

    shown = capsys.readouterr().out
    assert shown.count("into ~/x.json") == shown.count("look carried_results") == 3
    assert "also: Do d: at most $6.00" in shown
    assert "only the vendor can: Do e" in shown
    assert "'modicum fix' shows these" in shown


def test_what_an_experiment_has_to_prove_is_at_most():
    assert describe_saving(step("a", 9.0)) == "Do a: at most $9.00, 9.0 % (headroom)"
    assert describe_saving(step("a", 9.0, finding_class=FindingClass.REPLAYED)) == "Do a: $9.00, 9.0 %"


def test_beginnings_name_projects_parts_and_servers(capsys):
    row = ProjectBeginning(
        client="claude-code",
        project="shop",
        conversations=3,
        median_tokens=42_000,
        excess_tokens=17_000,
        cost_usd=10.0,
        subagents_usd=1.5,
        excess_usd=4.0,
        parts={"CLAUDE.md": 2_000},
        servers={"tickets": 4},
    )

    print_beginnings([row, *[row] * 9])

    shown = capsys.readouterr().out
    assert "17,000" in shown
    assert "and 2 more projects" in shown
    assert "beginnings of subagents: $15.00" in shown
    assert "shop: CLAUDE.md 2,000 tokens" in shown
    assert "tickets (4 calls)" in shown
