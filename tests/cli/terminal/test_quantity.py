import click
import pytest
from click.testing import CliRunner

from modicum.cli.terminal.quantity import Quantity


@pytest.mark.parametrize(("text", "number"), [("2.5", 2.5), ("0", 0.0), ("1e3", 1000.0)])
def test_a_number_is_itself(text, number):
    assert Quantity(0).convert(text, None, None) == number


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", "-1", "many"])
def test_what_is_no_number_of_the_range_is_refused(text):
    with pytest.raises(click.BadParameter):
        Quantity(0).convert(text, None, None)


def test_help_shows_a_range_only_where_there_is_a_bound():
    @click.command()
    @click.option("--any", type=Quantity())
    @click.option("--share", type=Quantity(0, 1))
    def verb() -> None: ...

    shown = CliRunner().invoke(verb, ["--help"]).output

    assert "None" not in shown
    assert "[0<=x<=1]" in shown
