"""The first things to do: what this reader can set, each with what a replay of this very history says it saves."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import msgspec
import numpy as np
from msgspec.structs import asdict

from modicum.calls import UserError
from modicum.insights.advice.client_advice import OF_THE_FINDING, ClientAdvice
from modicum.insights.finding import FindingClass, HistoryChange
from modicum.insights.history import History
from modicum.insights.replay import Replay
from modicum.insights.what_if import parse_what_if
from modicum.metering.prices import PriceBook

WORTH_DOING = 0.001
"""Share of the cost below which a saving is not worth a step."""
VENDOR = "vendor"


class AdvisedFinding(msgspec.Struct, frozen=True, kw_only=True):
    """As much of a finding as a step needs."""

    finding_class: FindingClass
    change: HistoryChange | None


class AdvisedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the user of an agent can set, or that only its vendor can change.

    Attributes:
        name: as in `modicum fix --only`.
        finding: what it is about.
        who: `you`, or the `vendor`.
        kind: of what is pasted: `json`, `toml`, `markdown`, `command`; empty: nothing is.
        saving_usd: of this very setting, replayed on this history.
    """

    name: str
    finding: str
    client: str
    title: str
    who: str
    how: str
    kind: str
    place: str
    paste: str
    replay: str
    since: str
    source: str
    checked: date
    finding_class: FindingClass
    saving_usd: float
    saving_share: float


def rank_steps(
    advice: Sequence[ClientAdvice], findings: Mapping[str, AdvisedFinding], replays: Replay, prices: PriceBook
) -> list[AdvisedStep]:
    """What saves most first, what only the vendor can change last; what no replay of this history shows is left out.

    Args:
        advice: for the agent that made most of the history.
        findings: by name, those that were looked for.
        replays: of the history.
        prices: for models that a setting names.
    """
    steps = []
    for one in advice:
        finding = findings.get(one.finding)
        if finding is None or not one.replay:
            continue
        change, finding_class = finding.change, finding.finding_class
        if one.replay != OF_THE_FINDING:
            change, finding_class = _parse(one.replay, replays, prices)
        if change is None or change.is_nothing:
            continue
        found = replays.run([limit_to_client(change, replays.history, one.client)])
        if found.saving_share >= WORTH_DOING:
            steps.append(
                AdvisedStep(
                    **asdict(one),
                    finding_class=finding_class,
                    saving_usd=found.saving_usd,
                    saving_share=found.saving_share,
                )
            )
    return sorted(steps, key=lambda step: (step.who == VENDOR, -step.saving_usd))


def _parse(text: str, replays: Replay, prices: PriceBook) -> tuple[HistoryChange | None, FindingClass]:
    """None: it cannot be done here."""
    try:
        what_if = parse_what_if(text, replays.history, prices)
    except UserError:
        return None, FindingClass.INFO
    return what_if.change, what_if.finding_class


def limit_to_client(change: HistoryChange, history: History, client: str) -> HistoryChange:
    """The change for calls of this agent alone: its settings hold for no other program."""
    own = history.source == history.code_of(history.sources, client)
    if own.all():
        return change
    of_segments = own[history.segment_call]
    ttl, tokens, most = change.ttl_seconds, change.segment_tokens, change.max_output_tokens
    moved = change.conversation
    return replace(
        change,
        segment_tokens=None if tokens is None else np.where(of_segments, tokens, history.segment_tokens),
        dropped_calls=None if change.dropped_calls is None else change.dropped_calls & own,
        ttl_seconds=None if ttl is None else np.where(own, ttl, -1),
        pings=None if change.pings is None else np.where(own, change.pings, 0),
        model_calls=own if change.model_calls is None else change.model_calls & own,
        tier_calls=own if change.tier_calls is None else change.tier_calls & own,
        unbroken=None if change.unbroken is None else change.unbroken & own,
        max_output_tokens=None if most is None else np.where(own, most, np.iinfo(np.int64).max),
        prompt_shift=None if change.prompt_shift is None else np.where(own, change.prompt_shift, 0.0),
        starts_over=None if change.starts_over is None else change.starts_over & own,
        goes_on=None if change.goes_on is None else change.goes_on & own,
        conversation=None if moved is None else np.where(own, moved, history.conversation),
        extra_usd=None if change.extra_usd is None else np.where(own, change.extra_usd, 0.0),
    )
