"""Logs of one's own, and what came of their tasks -> what routing learns from: prompts, stages, models, outcomes and
costs.

Texts pass through memory and are kept nowhere. Each task was done by the models that somebody chose for it, so the
table is full of gaps; `routing/partial_outcomes.py` says what is made of them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from modicum.calls import Call, Entry, Segment, SegmentKind, UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.context.block_listener import BlockListener, MeasuredBlock
from modicum.routing.outcome_table import OutcomeTable
from modicum.routing.stage import Stage, read_stage

FEWEST_TASKS_OF_MODEL = 10
"""Tasks with an outcome that a model must have done to take part."""
MOST_TEXT = 100_000
_STEPS = 4
"""Moments of a conversation that are learned from, at most: its begin, and three more at equal distances."""


class UserTexts(BlockListener):
    """The texts of users' messages, by digest, while a log is read."""

    def __init__(self) -> None:
        self.texts: dict[bytes, str] = {}

    def on_block(self, block: MeasuredBlock) -> None:
        if block.kind is SegmentKind.USER and block.text.strip():
            self.texts.setdefault(block.digest, block.text[:MOST_TEXT])


class LoggedTable(NamedTuple):
    table: OutcomeTable
    remarks: list[str]
    """What was left out and why, in sentences."""


class _Row(NamedTuple):
    task: str
    prompt: str
    model: str
    stage: Stage
    usd: float


def make_logged_table(
    entries: Iterable[Entry], texts: Mapping[bytes, str], values: Mapping[str, float], models: Iterable[str] = ()
) -> LoggedTable:
    """A row for each of some moments of each conversation.

    Args:
        entries: with anatomy, in any order.
        texts: of users' messages, by digest.
        values: the outcome of each task that has one; more than 1 counts as 1.
        models: those that take part; none: all.

    Raises:
        UserError: no task has an outcome and a prompt.
    """
    conversations: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.call.anatomy is not None and entry.call.task:
            conversations[entry.call.task, entry.call.conversation].append(entry)
    left_out: Counter[str] = Counter()
    rows: list[_Row] = []
    for (task, _), of_one in conversations.items():
        reason, made = _read_conversation(task, of_one, texts) if task in values else ("no outcome", [])
        left_out[reason] += 1
        rows += made
    named = set(models)
    tasks_of: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        tasks_of[row.model].add(row.task)
    chosen = [
        model
        for model, tasks in sorted(tasks_of.items())
        if len(tasks) >= FEWEST_TASKS_OF_MODEL and (not named or model in named)
    ]
    remarks = _describe_left_out(left_out, tasks_of, chosen)
    rows = [row for row in rows if row.model in set(chosen)]
    if not rows:
        raise UserError(
            f"nothing can be learned from these logs: {'; '.join(remarks) or 'they hold no conversation with a task'}. "
            "Outcomes are recorded by 'modicum outcome import FILE', or named with --outcomes FILE"
        )
    return LoggedTable(_make_table(rows, chosen, values), remarks)


def _read_conversation(task: str, entries: list[Entry], texts: Mapping[bytes, str]) -> tuple[str, list[_Row]]:
    """Why nothing is learned from it, or an empty word and its rows."""
    entries = sorted(entries, key=lambda one: (one.call.turn, one.call.started))
    if len({entry.call.model for entry in entries}) > 1:
        return "several models in one conversation", []
    costs = [np.nan if entry.cost.usd is None else float(entry.cost.usd) for entry in entries]
    places = {len(entries) * part // _STEPS for part in range(_STEPS)}
    prompt, rows = "", []
    context: list[Segment] = []
    for place, entry in enumerate(entries):
        context = _context_of(entry.call, context)
        if not prompt:
            prompt = next((texts[one.digest] for one in context if one.digest in texts), "")
        if place in places and prompt:
            rows.append(_Row(task, prompt, entry.call.model, read_stage(context), float(np.sum(costs[place:]))))
    return ("" if rows else "no text of a user"), rows


def _context_of(call: Call, before: list[Segment]) -> list[Segment]:
    assert call.anatomy is not None  # noqa: S101 - chosen above
    return before[: call.anatomy.kept_segments] + list(call.anatomy.added)


def _describe_left_out(left_out: Counter[str], tasks_of: Mapping[str, set[str]], chosen: list[str]) -> list[str]:
    remarks = []
    for reason, count in left_out.items():
        if reason:
            conversations = number_of(count, "conversation is", "conversations are")
            remarks.append(f"{conversations} left out: {reason}.")
    for model, tasks in sorted(tasks_of.items()):
        if model not in chosen and len(tasks) < FEWEST_TASKS_OF_MODEL:
            of_model = number_of(len(tasks), "task")
            remarks.append(
                f"{model} is left out: {of_model} with an outcome, and {FEWEST_TASKS_OF_MODEL} are the fewest."
            )
    return remarks


def _make_table(rows: list[_Row], models: list[str], values: Mapping[str, float]) -> OutcomeTable:
    outcomes, usd = np.full((len(rows), len(models)), np.nan), np.full((len(rows), len(models)), np.nan)
    for place, row in enumerate(rows):
        column = models.index(row.model)
        outcomes[place, column] = min(max(values[row.task], 0.0), 1.0)
        usd[place, column] = row.usd
    return OutcomeTable(
        tuple(models),
        tuple(row.prompt for row in rows),
        outcomes,
        (),
        {"usd": usd},
        tasks=tuple(row.task for row in rows),
        stages=tuple(row.stage for row in rows),
    )
