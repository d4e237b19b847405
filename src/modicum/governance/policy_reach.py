"""Where calls can still go under a policy: one that forbids everything is seen before the first call is refused."""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

from modicum.governance.budgets import fits_model
from modicum.governance.policy import CallPolicy, PlannedCall, PolicyLimit, PolicyVerdict, decide_policy


class Way(NamedTuple):
    """An upstream, as far as clauses look at it."""

    name: str
    provider: str
    region: str
    models: tuple[str, ...]
    """Patterns of what it serves."""


class ClassReach(NamedTuple):
    """Where calls of one data class can go that belong to nobody of whom the policy says more."""

    data_class: str
    """Empty: the policy has no classes."""
    ways: tuple[str, ...]
    refusal: PolicyVerdict | None
    """Why they can go nowhere."""


def find_reach(policy: CallPolicy, ways: Sequence[Way]) -> list[ClassReach]:
    """Where calls can go, by data class. Models are tried by name: those that the patterns of policy and upstreams
    spell out.
    """
    patterns = [pattern for way in ways for pattern in way.models]
    for clause in policy.clauses:
        patterns += [*(clause.models or ()), *clause.not_models]
    plain = {pattern.replace("*", "").replace("?", "x") for pattern in patterns} | {"any-model"}
    names = sorted(plain | {"".join(pair) for pair in product(plain, plain)} - {""})
    return [_reach(policy, ways, data_class, names) for data_class in policy.data_classes or ("",)]


def _reach(policy: CallPolicy, ways: Iterable[Way], data_class: str, names: Sequence[str]) -> ClassReach:
    open_ways, refusal = [], None
    for way in ways:
        served = [name for name in names if any(fits_model(pattern, name) for pattern in way.models)]
        for name in served:
            call = PlannedCall(
                name, way.provider, way.region, data_class=data_class, prompt_tokens=1, most_output_tokens=1
            )
            verdict = decide_policy(policy, call)
            if not verdict.is_refusal:
                open_ways.append(way.name)
                break
            refusal = refusal or verdict
    return ClassReach(data_class, tuple(open_ways), None if open_ways else refusal)


def _why_closed(refusal: PolicyVerdict) -> str:
    """Why no way is open; a refusal of a call speaks of its model, and here is none."""
    clause = refusal.clause
    if clause is not None and refusal.limit is PolicyLimit.PROVIDERS:
        return f"the clause '{clause.name}' allows {_names(clause.providers)}, and no upstream is of such a provider"
    if clause is not None and refusal.limit is PolicyLimit.REGIONS:
        return f"the clause '{clause.name}' allows {_names(clause.regions)}, and no upstream is known to be there"
    return refusal.reason


def _names(names: tuple[str, ...] | None) -> str:
    return ", ".join(names) if names else "none at all"


def warnings_of(reach: Sequence[ClassReach], place: str) -> list[str]:
    """What must be said of a policy that leaves calls no way, for people."""
    closed = [one for one in reach if not one.ways]
    if not closed:
        return []
    why = next((f": {_why_closed(one.refusal)}" for one in closed if one.refusal is not None), "")
    if len(closed) == len(reach):
        return [f"{place} forbids every call{why}; all calls are refused until it says otherwise"]
    return [
        f"{place} lets calls of the data class '{one.data_class}' go nowhere"
        + (f": {_why_closed(one.refusal)}" if one.refusal is not None else "")
        + "; they are refused until it says otherwise"
        for one in closed
    ]
