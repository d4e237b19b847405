"""Commands that would show what advice does not know, with the figures of a kind's calls filled in.

A trial runs as it is printed. Tasks with their checks are in no ledger: where their file is missing, the command says
what to write into it. Words in capitals, which only commands about machines have, are the user's to replace.
"""

import re
import shlex
from datetime import datetime
from decimal import ROUND_UP, Decimal

from modicum.calls import Tier
from modicum.calls.rates import MILLION
from modicum.insights.advice.call_kinds import NO_TOOLS, CallKind
from modicum.metering.prices import PriceBook

AGENTS = {
    "claude-code": ("claude -p {prompt} {arm}", "--output-format json"),
    "codex": ("codex exec --json {arm} {prompt}",),
}
"""By source of the calls: how its program runs one task."""
RUN_LIMITS = {"claude-code": "--max-budget-usd {budget}"}
"""The option that bounds what one run costs, of those that have one."""
MODEL_OPTION = "--model"
TASK_FILE = "tasks.jsonl"
RUN_SHARE = 2
"""What one run may cost: as often the mean of the conversations."""
SMALL_MODEL = "granite-4.0-micro"
"""A small open model as the example of `modicum plan memory`."""


def write_trial(kind: CallKind, provider: str, model: str) -> list[str]:
    """The command that compares the two models on tasks of the user's, in pieces that each fit a line.

    Calls without tools are compared by their replies; those of agents by running the agent, which is left out where
    nobody knows it: the command then says that it is missing. A budget in dollars is what these calls have cost.
    """
    budget = _round_up(kind.cost_usd) if kind.cost_usd else None  # nothing is known, or nothing was paid
    if kind.tools == NO_TOOLS:
        models = shlex.quote(f"{kind.model},{model}")
        grader = "--grader exact" + (f" --budget {budget}" if budget else "")
        return [f"modicum compare run {TASK_FILE}", f"--models {models}", grader]
    source = kind.sources[0] if len(kind.sources) == 1 and kind.provider == provider else ""
    program, limit = list(AGENTS.get(source, ())), RUN_LIMITS.get(source, "")
    pieces = [
        f"modicum trial {_file_name(model)}",
        f"--tasks {TASK_FILE} --copy .",
        f"--with {shlex.quote(f'{MODEL_OPTION} {shlex.quote(model)}')}",
        f"--without {shlex.quote(f'{MODEL_OPTION} {shlex.quote(kind.model)}')}",
    ]
    if limit and budget is not None and kind.cost_usd is not None:
        one_run = _round_up(RUN_SHARE * kind.cost_usd / max(kind.conversations, 1))
        pieces.append(f"--budget {max(budget, one_run)} --run-budget {one_run}")
        program[-1] = f"{limit} {program[-1]}"
    return [*pieces, f"-- {program[0]}", *program[1:]] if program else pieces


def _round_up(usd: Decimal) -> Decimal:
    """To whole cents."""
    return usd.quantize(Decimal("0.01"), ROUND_UP)


def write_price_look(provider: str, model: str) -> list[str]:
    """The command that shows what another seller takes."""
    return [f"modicum prices {shlex.quote(model)} --provider {shlex.quote(provider)}"]


def _file_name(model: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "-", model).strip("-") or "other"


def write_own_machine(kind: CallKind, prices: PriceBook, at: datetime) -> list[list[str]]:
    """`tco` with the shape and the price of these calls, and `plan memory` with their size; none without a price."""
    average = kind.prompt_tokens // max(kind.calls, 1)
    rates = prices.rates(kind.provider, kind.model, at, Tier.STANDARD, average)
    if rates is None or not kind.completion_tokens:
        return []
    per_million = [
        f"{(rate * MILLION).normalize():f}" for rate in (rates.input_uncached, rates.output_visible, rates.cache_read)
    ]
    cached = kind.cached_tokens / kind.prompt_tokens if kind.prompt_tokens else 0.0
    return [
        [
            "modicum tco --rent USD --tokens-per-second NUMBER",
            f"--prompt-per-output {kind.prompt_tokens / kind.completion_tokens:.4g} --cached-share {cached:.3g}",
            f"--api-price {','.join(per_million)}",
        ],
        [f"modicum plan memory {SMALL_MODEL} --context {kind.largest_call_tokens} --batch NUMBER", "--gpu GPU"],
    ]
