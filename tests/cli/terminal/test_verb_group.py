import sys

import click
from click.testing import CliRunner

from modicum.calls import UserError
from modicum.cli.terminal.verb_group import VerbGroup, WholeLines

VERB = """
import click

@click.command()
def command():
    click.echo("done")
"""


def test_help_loads_no_verb_and_a_call_loads_its_own(tmp_path, monkeypatch):
    (tmp_path / "toy_verbs").mkdir()
    (tmp_path / "toy_verbs" / "do_it.py").write_text(VERB)
    monkeypatch.syspath_prepend(tmp_path)

    class Toy(VerbGroup):
        package, verbs, files = "toy_verbs", {"do": "Do it.", "undo": "Undo it."}, {"do": "do_it"}

    group = click.group(cls=Toy)(lambda: None)
    shown = CliRunner().invoke(group, ["--help"]).output

    assert "do    Do it." in shown
    assert "undo  Undo it." in shown
    assert "toy_verbs.do_it" not in sys.modules
    assert CliRunner().invoke(group, ["do"]).output == "done\n"
    assert CliRunner().invoke(group, ["redo"]).exit_code == 2


def test_lines_of_verbs_in_one_file_are_not_cut():
    line = f"Do {'very ' * 40}much."
    group = click.Group("toy")
    whole = WholeLines("toy", commands={"do": click.Command("do", help=f"{line}\n\nMore of it.")})

    group.add_command(whole.commands["do"])
    assert "..." in CliRunner().invoke(group, ["--help"]).output
    shown = " ".join(CliRunner().invoke(whole, ["--help"]).output.split())
    assert f"Verbs: do {line[:-1]}" in shown
    assert "More of it" not in shown


def test_an_option_with_one_value_that_is_given_twice_is_refused():
    @click.command()
    @click.option("--one")
    @click.option("--many", multiple=True)
    @click.option("--flag", is_flag=True)
    def do(one, many, flag):
        click.echo(f"{one} {many} {flag}")

    group = WholeLines("toy", commands={"do": do})

    assert CliRunner().invoke(group, "do --one 1 --many 2 --many 3 --flag --flag").output == "1 ('2', '3') True\n"
    refused = CliRunner().invoke(group, "do --one 1 --one=2").exception
    assert isinstance(refused, UserError)
    assert "--one is given 2 times" in str(refused)
    assert CliRunner().invoke(group, "do --nothing --one 1 --one 2").exit_code == 2
