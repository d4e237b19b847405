import shlex
from datetime import UTC, datetime
from decimal import Decimal

import click
import msgspec
import pytest
from click.testing import CliRunner

from modicum.cli import modicum
from modicum.cli.trials.budget import plan_budget
from modicum.insights.advice.call_kinds import NO_TOOLS, READING, CallKind
from modicum.insights.advice.trial_commands import write_own_machine, write_price_look, write_trial
from modicum.metering.prices import PriceBook
from modicum.settings import Settings

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


@pytest.fixture
def modicum_run(tmp_path, monkeypatch):
    """Runs a written command, as it is."""
    monkeypatch.chdir(tmp_path)

    def run(pieces):
        return str(CliRunner().invoke(modicum, shlex.split(" ".join(pieces))[1:]).exception)

    return run


PAID = msgspec.structs.replace(KIND, cost_usd=Decimal("4.451"))


def test_the_trial_of_an_agent_is_a_command_that_modicum_takes_as_it_is_printed(tmp_path):
    taken = options_of(write_trial(PAID, "anthropic", "claude-haiku-4-5"))

    assert (taken["budget"], taken["run_budget"]) == (4.46, 4.46)  # two conversations: one run may cost twice the mean
    assert "--model claude-haiku-4-5" in taken.values()
    assert "--model claude-opus-4-5" in taken.values()
    command = list(taken["command"])
    assert command[-4:] == ["--max-budget-usd", "{budget}", "--output-format", "json"]
    limits = taken["budget"], taken["run_budget"]
    assert plan_budget(Settings(), tmp_path, command, taken["meter"], *limits).run_usd == 4.46


def test_without_a_price_or_a_limit_of_the_agents_no_budget_is_made_up():
    assert options_of(write_trial(KIND, "anthropic", "claude-haiku-4-5"))["budget"] is None
    codex = msgspec.structs.replace(PAID, sources=["codex"])
    assert options_of(write_trial(codex, "anthropic", "gpt-5-mini"))["command"][:2] == ("codex", "exec")


def test_an_agent_of_another_maker_is_the_users_to_name(modicum_run):
    assert "-- COMMAND, the program that does one task" in modicum_run(write_trial(PAID, "openai", "gpt-5-mini"))


def test_calls_without_tools_are_compared_by_their_replies():
    plain = msgspec.structs.replace(PAID, tools=NO_TOOLS)

    taken = options_of(write_trial(plain, "openai", "gpt-5-mini"))

    assert "claude-opus-4-5,gpt-5-mini" in str(taken)
    assert (taken["budget"], taken["grader"]) == (4.46, "exact")


@pytest.mark.parametrize(("tools", "lacks"), [(READING, '"check": "pytest -q"'), (NO_TOOLS, '"expected": "4"')])
def test_a_command_without_its_tasks_says_what_goes_into_them(modicum_run, tools, lacks):
    error = modicum_run(write_trial(msgspec.structs.replace(PAID, tools=tools), "anthropic", "claude-haiku-4-5"))

    assert "the tasks tasks.jsonl cannot be read" in error
    assert lacks in error


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
