import click
import pytest

from modicum.cli.terminal.quantity import Quantity


@pytest.mark.parametrize(("text", "number"), [("2.5", 2.5), ("0", 0.0), ("1e3", 1000.0)])
def test_a_number_is_itself(text, number):
    assert Quantity(0).convert(text, None, None) == number


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", "-1", "many"])
def test_what_is_no_number_of_the_range_is_refused(text):
    with pytest.raises(click.BadParameter):
        Quantity(0).convert(text, None, None)
