"""Commands that would show what advice does not know, with the figures of a kind's calls filled in.

Words in capitals are the user's to replace: tasks, checks and prices of machines are in no ledger.
"""

import re
import shlex
from datetime import datetime

from modicum.calls import Tier
from modicum.calls.rates import MILLION
from modicum.insights.advice.call_kinds import NO_TOOLS, CallKind
from modicum.metering.prices import PriceBook

AGENTS = {
    "claude-code": ("claude -p {prompt} {arm} --output-format json", "--model"),
    "codex": ("codex exec --json {arm} {prompt}", "--model"),
}
"""By source of the calls: how its program runs one task, and its option for the model."""
OTHER_AGENT = ("YOUR-AGENT {prompt} {arm}", "--model")
SMALL_MODEL = "granite-4.0-micro"
"""A small open model as the example of `modicum plan memory`."""


def write_trial(kind: CallKind, provider: str, model: str) -> list[str]:
    """The command that compares the two models on tasks of the user's, in pieces that each fit a line.

    Calls without tools are compared by their replies; those of agents by running the agent.
    """
    if kind.tools == NO_TOOLS:
        models = shlex.quote(f"{kind.model},{model}")
        return ["modicum compare run TASKS.jsonl", f"--models {models}", "--grader GRADER --budget USD"]
    is_known = len(kind.sources) == 1 and kind.provider == provider
    program, option = AGENTS.get(kind.sources[0], OTHER_AGENT) if is_known else OTHER_AGENT
    return [
        f"modicum trial {_file_name(model)} --tasks TASKS.jsonl",
        f"--with {shlex.quote(f'{option} {shlex.quote(model)}')}",
        f"--without {shlex.quote(f'{option} {shlex.quote(kind.model)}')}",
        "--copy REPO --check 'TESTS' --budget USD",
        f"-- {program}",
    ]


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
