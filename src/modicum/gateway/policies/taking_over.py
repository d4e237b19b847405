"""A policy comes into force: what it leaves no way is said, and what changed is an event of the audit log."""

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from modicum.calls import UserError
from modicum.gateway.policies.authorising import Authorising
from modicum.gateway.process.log import log
from modicum.gateway.upstreams import Upstream
from modicum.governance.policy_log import EVENT_KIND, PolicyEvent, changes_between, fold_policy, parts_of
from modicum.governance.policy_reach import ClassReach, Way, find_reach, warnings_of
from modicum.ledger.events import EventFile
from modicum.settings import PolicySettings, Settings, budgets_of, policy_of


def take_over_policy(
    authorising: Authorising, settings: Settings, upstreams: Iterable[Upstream], events: EventFile, *, records: bool
) -> None:
    """Puts the policy of the settings in force.

    Args:
        authorising: holds it from now on.
        settings: with the policy.
        upstreams: where calls may go.
        events: take what changed.
        records: whether this process writes them and speaks of them; of several one does.
    """
    authorising.take_over(policy_of(settings.policy_rules))
    if not records:
        return
    for warning in policy_warnings(settings, upstreams):
        log("policy_forbids", problem=warning)
    try:
        changes = record_policy(settings, events)
    except (UserError, sqlite3.Error) as error:  # it is in force all the same
        log("policy_not_recorded", problem=str(error))
        return
    for event in changes:
        log(f"policy_{event.what}", part=event.part, by=event.by)


def policy_warnings(settings: Settings, upstreams: Iterable[Upstream]) -> list[str]:
    """What must be said of a policy that leaves calls no way."""
    if not settings.policy_rules.clause:
        return []
    return warnings_of(policy_reach(settings, upstreams), settings.policy_rules.file)


def policy_reach(settings: Settings, upstreams: Iterable[Upstream]) -> list[ClassReach]:
    """Where calls can go under the policy of the settings."""
    ways = [
        Way(one.name, one.provider, one.served_in, (*one.models, *_aliased(settings, one.name))) for one in upstreams
    ]
    return find_reach(policy_of(settings.policy_rules), ways)


def record_policy(settings: Settings, events: EventFile) -> list[PolicyEvent]:
    """Appends what changed since the last time, by whoever owns the file.

    Raises:
        UserError: it cannot be written, or read.
    """
    rules = settings.policy_rules
    former = fold_policy(events.read(EVENT_KIND, PolicyEvent))
    outcomes = {one.name: one for one in rules.outcome}
    now = parts_of(policy_of(rules), budgets_of(rules.budget, settings.timezone), outcomes)
    changes = changes_between(former, now, datetime.now(UTC), _writer(rules))
    for event in changes:
        events.append(EVENT_KIND, event)
    return changes


def _aliased(settings: Settings, upstream: str) -> list[str]:
    """Models that aliases name at an upstream."""
    targets = (target.partition("/") for target in settings.models.values())
    return [model for name, _, model in targets if name == upstream]


def _writer(rules: PolicySettings) -> str:
    """Who owns the policy's file; where it has gone or its owner has no name, that."""
    try:
        return Path(rules.file).owner() if rules.file else "policy removed"
    except (OSError, KeyError):
        return "owner unknown"
