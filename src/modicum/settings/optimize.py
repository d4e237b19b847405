"""`[optimize]`: rules that change calls before they are sent."""

import math
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from modicum.calls import Owner
from modicum.calls.errors import accepted_are
from modicum.calls.rule import Rule
from modicum.optimizers.rule_choice import (
    ALL,
    BEGINNINGS,
    CACHE_TTL,
    KEEP_WARM,
    Draw,
    OwnerChoice,
    RuleChoice,
    is_held_out,
)

MOST_MB = 100_000
LONGEST_WAIT_S = 60.0

CacheTtlChoice = Literal["leave", "shorten", "choose"]


def draw_none(_rule: str, _task: str) -> float:
    """A lot by which nothing is held out."""
    return 1.0


class OwnerRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[optimize.owner]]`: what holds for some owners alone. Later ones outweigh those before them."""

    team: str = ""
    """The team whose calls it is about. Empty: everybody's."""
    app: str = ""
    """The same for an app."""
    user: str = ""
    """The same for a user."""
    key: str = ""
    """The same for a key, by its name."""
    on: tuple[str, ...] = ()
    """Rules that run for them."""
    off: tuple[str, ...] = ()
    """Rules that do not."""
    keep_warm: bool | None = None
    """Whether pings renew their prompt caches. Not set: as for everybody."""
    cache_ttl: CacheTtlChoice | None = None
    """Whether times to live of their prompt caches are chosen. Not set: as for everybody."""
    beginnings_wait_s: float | None = None
    """How long first calls wait for one that writes their beginning. Not set: as for everybody."""


class OptimizeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[optimize]`: which rules run. Rules that lose nothing and keep the provider's cache run by themselves."""

    enabled: bool = True
    """The one switch: `false` runs no rule of the list, sends no ping, changes no time to live, lets no call wait for
    another, and rests the guards of `[[agent_guard]]`."""
    on: tuple[str, ...] = ()
    """Rules that run beside those that do by themselves; a family, as `cache`, is all its rules, and `all` every one,
    but for those that have to be named. `modicum optimize list` shows them."""
    off: tuple[str, ...] = ()
    """Rules that do not run."""
    hold_out: float = 0.1
    """Share of tasks on which a rule, pings, times to live or waits that were chosen here do not act, so that their
    effect can be seen (`modicum optimize report`). 0: none."""
    keep_warm: bool = False
    """Whether pings renew the prompt caches of pausing conversations, where that is expected to pay (docs/optimize.md).
    Keys that are billed by use only."""
    keep_warm_most_mb: int = 64
    """The most megabytes of requests that are held in memory for that."""
    cache_ttl: CacheTtlChoice = "leave"
    """Times to live of Anthropic's prompt caches, by the pauses of each kind of calls and the prices of the day.
    `leave`: as callers ask; `shorten`: an hour becomes five minutes where these pay; `choose`: five minutes become an
    hour, too. Keys that are billed by use only, and not where caches are kept warm."""
    beginnings_wait_s: float = 0.0
    """How long the first call of a conversation waits, where another one is just writing the same beginning to the
    provider's cache: then it reads that. 0: none waits."""
    owner: tuple[OwnerRules, ...] = ()
    """What holds for some owners alone."""

    @property
    def keeps_warm(self) -> bool:
        """Whether caches are kept warm for anybody."""
        return self.enabled and (self.keep_warm or any(one.keep_warm for one in self.owner))

    def keeps_warm_for(self, owner: Owner, task: str = "", draw: Draw = draw_none) -> bool:
        """Whether an owner's caches are kept warm: those of a task, where one is named that may be held out."""
        if not self.enabled or is_held_out(KEEP_WARM, task, self.hold_out, draw):
            return False
        chosen = self.keep_warm
        for one in self._about(owner):
            chosen = chosen if one.keep_warm is None else one.keep_warm
        return chosen

    @property
    def widest_ttl_choice(self) -> CacheTtlChoice:
        """The most that may become of times to live for anybody."""
        chosen = {self.cache_ttl, *(one.cache_ttl for one in self.owner)} if self.enabled else set()
        return "choose" if "choose" in chosen else "shorten" if "shorten" in chosen else "leave"

    @property
    def chooses_ttl(self) -> bool:
        """Whether times to live are chosen for anybody."""
        return self.widest_ttl_choice != "leave"

    def cache_ttl_for(self, owner: Owner, task: str = "", draw: Draw = draw_none) -> CacheTtlChoice:
        """What may become of times to live in an owner's requests, or in those of a task that may be held out; `leave`
        where pings keep the caches.
        """
        if not self.enabled or self.keeps_warm_for(owner) or is_held_out(CACHE_TTL, task, self.hold_out, draw):
            return "leave"
        chosen = self.cache_ttl
        for one in self._about(owner):
            chosen = chosen if one.cache_ttl is None else one.cache_ttl
        return chosen

    @property
    def shares_beginnings(self) -> bool:
        """Whether first calls of anybody wait for each other."""
        return self.enabled and (self.beginnings_wait_s > 0 or any(one.beginnings_wait_s for one in self.owner))

    def beginnings_wait_for(self, owner: Owner, task: str = "", draw: Draw = draw_none) -> float:
        """How long first calls of an owner, or of a task that may be held out, wait at most, in seconds."""
        if not self.enabled or is_held_out(BEGINNINGS, task, self.hold_out, draw):
            return 0.0
        chosen = self.beginnings_wait_s
        for one in self._about(owner):
            chosen = chosen if one.beginnings_wait_s is None else one.beginnings_wait_s
        return chosen

    def features_for(self, owner: Owner) -> tuple[str, ...]:
        """What was chosen for an owner beside rules of the list, by the names of `modicum optimize list`."""
        chosen = {
            KEEP_WARM: self.keeps_warm_for(owner),
            CACHE_TTL: self.cache_ttl_for(owner) != "leave",
            BEGINNINGS: self.beginnings_wait_for(owner) > 0,
        }
        return tuple(name for name, is_chosen in chosen.items() if is_chosen)

    def _about(self, owner: Owner) -> Iterator[OwnerRules]:
        """What holds for an owner; later ones outweigh those before them."""
        return (one for one in self.owner if OwnerChoice(one.team, one.app, one.user, one.key).is_about(owner))


def optimize_fault(settings: OptimizeSettings, rules: Iterable[Rule] | None = None) -> tuple[str, str] | None:
    """The setting that is wrong, and what it must be. `rules`: those that there are; None: modicum's own."""
    if not (math.isfinite(settings.hold_out) and 0 <= settings.hold_out < 1):
        return "hold_out", "must be a share from 0 to below 1"
    if not 1 <= settings.keep_warm_most_mb <= MOST_MB:
        return "keep_warm_most_mb", f"must be a number from 1 to {MOST_MB:,}"
    chosen: tuple[OptimizeSettings | OwnerRules, ...] = (settings, *settings.owner)
    for one in chosen:
        wait_s = one.beginnings_wait_s or 0.0
        if not (math.isfinite(wait_s) and 0 <= wait_s <= LONGEST_WAIT_S):
            return "beginnings_wait_s", f"must be a number of seconds from 0 to {LONGEST_WAIT_S:g}"
    if not any(one.on or one.off for one in chosen):
        return None
    names = {rule.name for rule in (_own_rules() if rules is None else rules)}
    names |= {name.partition(".")[0] for name in names} | {ALL}
    for one in chosen:
        for key in ("on", "off"):
            unknown = next((name for name in getattr(one, key) if name not in names), None)
            if unknown is not None:
                return key, f"names '{unknown:.64}'; {accepted_are(sorted(names))}"
    return None


def _own_rules() -> tuple[Rule, ...]:
    """Loaded here, because every verb reads settings and few need the rules."""
    from modicum.optimizers.all_rules import RULES

    return RULES


def rule_choice_of(settings: OptimizeSettings, draw: Draw, rules: Iterable[Rule]) -> RuleChoice | None:
    """What checked settings choose; None: no rule runs. `draw`: of tasks that are held out."""
    if not settings.enabled:
        return None
    choices = [OwnerChoice(on=settings.on, off=settings.off)]
    choices += [OwnerChoice(one.team, one.app, one.user, one.key, one.on, one.off) for one in settings.owner]
    return RuleChoice(tuple(rules), tuple(choices), settings.hold_out, draw, settings.features_for)
