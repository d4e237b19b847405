"""`[[resilience]]`: what is tried for somebody's calls when an upstream fails."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from modicum.governance.resilience import ResiliencePolicy

MOST_RETRIES = 10
MOST_FALLBACKS = 10
MOST_WAIT_S = 300.0


class ResilienceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[resilience]]`, once for each policy. The first that covers a call counts; a call that none covers is sent
    once.
    """

    name: str
    """What refusals and the log call it."""
    retries: int = 0
    """How often a call is sent again to where it failed, before anything of its reply was passed on."""
    fallbacks: tuple[str, ...] = ()
    """Where it goes then, one after another: UPSTREAM/MODEL, or a name of `[models]`. Calls are translated where
    that is possible."""
    providers: tuple[str, ...] = ()
    """Providers that these calls may go to, by the id of genai-prices; none named: all."""
    regions: tuple[str, ...] = ()
    """Regions that they may be served in (`upstreams.NAME.region`); none named: all."""
    first_wait_s: float = 0.25
    """Before the first retry; it doubles with each, and half of it is left to chance. `Retry-After` stands above."""
    most_wait_s: float = 8.0
    """A retry that would have to wait longer is not made."""
    hedge_after_s: float = 0.0
    """How long a call waits for its reply to begin before it is sent a second time to the same place. Both are paid
    for. 0: it is not."""
    team: str = ""
    """The team whose calls it covers. Empty: all."""
    app: str = ""
    """The same for an app."""
    user: str = ""
    """The same for a user."""
    key: str = ""
    """The same for a key, by its name."""
    model: str = ""
    """A pattern of the model that was asked for: `gpt-*`."""


def policies_of(policies: Sequence[ResilienceSettings]) -> tuple[ResiliencePolicy, ...]:
    """The policies that checked settings declare."""
    return tuple(ResiliencePolicy(**msgspec.structs.asdict(one)) for one in policies)


def resilience_fault(
    policies: Sequence[ResilienceSettings], upstreams: Collection[str], aliases: Mapping[str, str]
) -> tuple[int, str, str] | None:
    """The first setting that is wrong: of which policy, which, and what it must be."""
    names: set[str] = set()
    for index, one in enumerate(policies):
        fault = _fault(one, names) or _fallback_fault(one, upstreams, aliases)
        if fault is not None:
            return index, *fault
        names.add(one.name)
    return None


def _fault(one: ResilienceSettings, names: set[str]) -> tuple[str, str] | None:
    if not one.name or len(one.name) > 64 or not one.name.isprintable():
        return "name", "must be 1 to 64 printable characters"
    if one.name in names:
        return "name", f"must differ from that of the others; '{one.name}' comes twice"
    if not 0 <= one.retries <= MOST_RETRIES:
        return "retries", f"is a number from 0 to {MOST_RETRIES}"
    for key in ("first_wait_s", "most_wait_s", "hedge_after_s"):
        if not 0 <= getattr(one, key) <= MOST_WAIT_S:  # nan is in no range
            return key, f"is a number of seconds from 0 to {MOST_WAIT_S:.0f}"
    return None


def _fallback_fault(
    one: ResilienceSettings, upstreams: Collection[str], aliases: Mapping[str, str]
) -> tuple[str, str] | None:
    if len(one.fallbacks) > MOST_FALLBACKS:
        return "fallbacks", f"has at most {MOST_FALLBACKS}"
    for target in one.fallbacks:
        upstream, _, model = target.partition("/")
        if target not in aliases and not (upstream in upstreams and model):
            named = ", ".join(upstreams) or "none"
            return (
                "fallbacks",
                f"holds '{target:.80}'; it takes UPSTREAM/MODEL (upstreams: {named}) or a name of [models]",
            )
    return None
