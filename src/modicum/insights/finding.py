"""What a finding is: waste, as the change to history that would not have had it.

A finding never multiplies a constant. It names a change (fewer tokens in these segments, no such calls, another time to
live, another model), and the replay of the user's own history under that change says what it would have saved.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from modicum.insights.history import History


class FindingClass(StrEnum):
    EXACT = "exact"
    """The calls or tokens are known, and nobody would miss them."""
    REPLAYED = "replayed"
    """The saving is a replay under the provider's cache rules."""
    UPPER_BOUND = "upper_bound"
    """At most this: part of it may have been needed."""
    HEADROOM = "headroom"
    """It would change what the model sees or which model answers: worth an experiment, counted in no sum."""
    INFO = "info"
    """A figure to know; no claim."""


@dataclass(frozen=True)
class HistoryChange:
    """A change to history. Every part that is None changes nothing; changes are joined by applying all."""

    segment_tokens: npt.NDArray[np.int64] | None = None
    """For every segment of the history its new size; never more than it had."""
    dropped_calls: npt.NDArray[np.bool_] | None = None
    """For every call whether it would not have been made; its reply leaves the later contexts too."""
    ttl_seconds: npt.NDArray[np.int64] | None = None
    """For every call the time to live of what it writes to the prompt cache (300 or 3600); 0: it uses no cache; -1: as
    it was."""
    pings: npt.NDArray[np.int64] | None = None
    """For every call how many pings at most renew what it left in the cache, until the next call comes."""
    models: dict[str, str] = field(default_factory=dict)
    """Model by model that takes its place, for the calls of `model_calls` (None: all)."""
    model_calls: npt.NDArray[np.bool_] | None = None
    tier: str = ""
    """Price lane for the calls of `tier_calls`."""
    tier_calls: npt.NDArray[np.bool_] | None = None
    unbroken: npt.NDArray[np.bool_] | None = None
    """For every call whether its prefix would not have been broken: it reads what the call before it left in cache."""
    max_output_tokens: npt.NDArray[np.int64] | None = None
    """For every call the most output it would have had."""
    prompt_shift: npt.NDArray[np.float64] | None = None
    """For every call the tokens that its prompt would have had more (negative: fewer), where its context is another."""
    starts_over: npt.NDArray[np.bool_] | None = None
    """For every call whether its context begins anew: of what was sent before, only system prompt and tools stand."""
    goes_on: npt.NDArray[np.bool_] | None = None
    """For every call whether all that its conversation sent before still stands."""
    conversation: npt.NDArray[np.int64] | None = None
    """For every call the conversation that it is of, where that is another one: numbers beyond those of the history."""
    extra_usd: npt.NDArray[np.float64] | None = None
    """For every call what calls cost that the record does not have."""

    @property
    def is_nothing(self) -> bool:
        """Whether it changes nothing."""
        return all(not value if isinstance(value, dict | str) else value is None for value in vars(self).values())

    @property
    def moves_calls(self) -> bool:
        """Whether other models or lanes answer, whose speed is not that of the calls as they were."""
        return bool(self.models or self.tier)


@dataclass(frozen=True)
class Finding:
    id: str
    """Letter and digit of the taxonomy, as `B3`."""
    name: str
    """The word for `--only` and JSON, as `ttl_expiry`."""
    title: str
    what: str
    """In plain words what this is, and how it was found."""
    finding_class: FindingClass
    calls: int = 0
    tokens: int = 0
    """Tokens that the change removes or re-prices, summed over the calls that carried them."""
    gross_usd: float = 0.0
    """What those tokens cost in the record, before any effect on the cache."""
    change: HistoryChange | None = None
    remedy: str = ""
    """The very setting or command that applies it."""
    guard: str = ""
    """What is not counted, so that it is no false alarm."""
    examples: tuple[str, ...] = ()
    """Ids of calls to look at, the dearest first."""
    lacks: str = ""
    """Why it could not be computed: which data is missing. Then all figures are 0 and mean nothing."""
    details: dict[str, float | int | str] = field(default_factory=dict)
    """Named figures of its own (share of tasks, period of a loop, ...)."""


Detector = Callable[["History"], Finding]
"""One file in `insights/findings/` per finding: a function of this shape named `find`, listed in `FINDINGS`."""
