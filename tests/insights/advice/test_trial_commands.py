import shlex
from datetime import UTC, datetime

import click
import msgspec
import pytest

from modicum.cli import modicum
from modicum.insights.advice.call_kinds import NO_TOOLS, READING, CallKind
from modicum.insights.advice.trial_commands import write_own_machine, write_price_look, write_trial
from modicum.metering.prices import PriceBook

AT = datetime(2026, 11, 1, tzinfo=UTC)
KIND = CallKind(
    provider="anthropic", model="claude-opus-4-5", agent="main", tools=READING, calls=10, conversations=2,
    cost_usd=None, calls_unpriced=0, share_of_cost=None, prompt_tokens=100_000, completion_tokens=2_000,
    cached_tokens=75_000, largest_call_tokens=30_000, tasks_with_outcome=0, tasks_reached=0, sources=["claude-code"],
)  # fmt: skip


def options_of(pieces, **given):
    """The options of a written command as `modicum` itself takes them, without running it."""
    words = shlex.split(" ".join(given.get(word, word) for word in " ".join(pieces).split(" ")))
    assert words[0] == "modicum"
    context: click.Context = click.Context(modicum)
    _, command, rest = modicum.resolve_command(context, words[1:])
    while isinstance(command, click.Group):
        _, command, rest = command.resolve_command(click.Context(command), rest)
    return command.make_context(command.name, rest).params


def test_the_trial_of_an_agent_is_a_command_that_modicum_takes():
    taken = options_of(write_trial(KIND, "anthropic", "claude-haiku-4-5"), USD="2", REPO=".")

    assert taken["budget"] == 2
    assert "--model claude-haiku-4-5" in taken.values()
    assert "--model claude-opus-4-5" in taken.values()


def test_an_agent_of_another_maker_is_the_users_to_name():
    assert write_trial(KIND, "openai", "gpt-5-mini")[-1] == "-- YOUR-AGENT {prompt} {arm}"


def test_calls_without_tools_are_compared_by_their_replies():
    plain = msgspec.structs.replace(KIND, tools=NO_TOOLS)

    taken = options_of(write_trial(plain, "openai", "gpt-5-mini"), USD="2", GRADER="exact")

    assert "claude-opus-4-5,gpt-5-mini" in str(taken)


@pytest.mark.parametrize("model", ["a b; rm -rf x", "$(id)", "it's"])
def test_a_name_is_one_word_of_the_shell(model):
    words = shlex.split(write_price_look("openai", model)[0])
    trial = shlex.split(" ".join(write_trial(KIND, "openai", model)))

    assert words[2] == model
    assert shlex.split(trial[trial.index("--with") + 1]) == ["--model", model]
    assert "/" not in trial[2]


def test_an_own_machine_is_compared_with_the_figures_of_these_calls():
    tco, memory = write_own_machine(KIND, PriceBook(), AT)

    taken = options_of(tco, USD="2.5", NUMBER="1000")
    assert (taken["prompt_per_output"], taken["cached_share"]) == (50, 0.75)
    assert "5,25,0.5" in " ".join(tco)
    assert options_of(memory, GPU="h100", NUMBER="8")["context"] == 30_000


def test_without_price_or_replies_no_machine_is_compared():
    assert write_own_machine(msgspec.structs.replace(KIND, model="nobodys"), PriceBook(), AT) == []
    assert write_own_machine(msgspec.structs.replace(KIND, completion_tokens=0), PriceBook(), AT) == []
