"""What people wrote about which calls may be made: clauses, and what they say of a call before it is sent.

Pure: what is known of a call is handed over, so that the gateway, an evaluation and a replay of the past decide alike.
What a clause limits and nobody knows of a call is a ruling of its own, never a "yes".
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

import msgspec

from modicum.calls.call import NOBODY, Owner
from modicum.calls.change import EFFORTS
from modicum.calls.words.counted_nouns import number_of
from modicum.governance.budgets import fits_model

DATA_CLASS_TAG = "data_class"
"""The tag by which a caller says how sensitive its call is."""
_UNREADABLE_EFFORT = len(EFFORTS)


class PolicyLimit(StrEnum):
    """What a clause limits, by the name of its setting."""

    MODELS = "models"
    NOT_MODELS = "not_models"
    PROVIDERS = "providers"
    REGIONS = "regions"
    EFFORT = "most_effort"
    THINKING = "most_thinking_tokens"
    PROMPT = "most_prompt_tokens"
    OUTPUT = "most_output_tokens"


class PlannedCall(NamedTuple):
    """What clauses look at in a call, on the way that it would go. None: nobody knows; empty: there is none."""

    model: str | None
    """As the upstream calls it. None: the request is about no model."""
    provider: str | None
    region: str | None
    owner: Owner = NOBODY
    project: str = ""
    data_class: str = ""
    """As the caller says it."""
    effort: str | None = ""
    thinking_tokens: int | None = 0
    prompt_tokens: int | None = 0
    most_output_tokens: int | None = None
    """None: it has no bound."""
    is_past: bool = False
    """Whether it was made: what bounded its reply is not on record then, but what it wrote."""


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """What calls may be. Every clause that covers a call must be fulfilled; None sets no limit."""

    name: str
    models: tuple[str, ...] | None = None
    """Patterns; none of them: no model."""
    not_models: tuple[str, ...] = ()
    providers: tuple[str, ...] | None = None
    regions: tuple[str, ...] | None = None
    most_effort: str = ""
    most_thinking_tokens: int | None = None
    most_prompt_tokens: int | None = None
    most_output_tokens: int | None = None
    data_class: str = ""
    """Covers calls of this class and of those that are more sensitive; empty: all. So are the following."""
    team: str = ""
    app: str = ""
    user: str = ""
    key: str = ""
    project: str = ""
    model: str = ""
    """A pattern of the model that the call goes to."""

    def covers(self, call: PlannedCall, classes: frozenset[str]) -> bool:
        """Whether it is about a call. `classes`: the call's data class, and those that are less sensitive."""
        if not call.owner.fits(self.team, self.app, self.user, self.key):
            return False
        if self.project and self.project != call.project:
            return False
        if self.data_class and self.data_class not in classes:
            return False
        return not self.model or (call.model is not None and fits_model(self.model, call.model))

    @property
    def limits_models(self) -> bool:
        return self.models is not None or bool(self.not_models or self.model)


class OwnerClass(msgspec.Struct, frozen=True, kw_only=True):
    """The least data class of somebody's calls."""

    data_class: str
    team: str = ""
    """Whose; empty: all. So are the following."""
    app: str = ""
    user: str = ""
    key: str = ""
    project: str = ""

    def covers(self, owner: Owner, project: str) -> bool:
        return owner.fits(self.team, self.app, self.user, self.key) and self.project in {"", project}


class CallPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """All that was written."""

    clauses: tuple[Clause, ...] = ()
    data_classes: tuple[str, ...] = ()
    """From the least sensitive on."""
    unnamed_class: str = ""
    """Of calls whose class nobody says; empty: the most sensitive."""
    owner_classes: tuple[OwnerClass, ...] = ()

    def class_of(self, owner: Owner, project: str, named: str) -> str:
        """A call's data class: what its caller says, or a more sensitive one that its owner's calls have at least. A
        word that is no class counts as the most sensitive.
        """
        if not self.data_classes:
            return ""
        order = self.data_classes
        floors = [order.index(one.data_class) for one in self.owner_classes if one.covers(owner, project)]
        if named:
            rank = order.index(named) if named in order else len(order) - 1
        elif floors:
            rank = 0
        else:
            rank = order.index(self.unnamed_class) if self.unnamed_class else len(order) - 1
        return order[max([rank, *floors])]

    def covering(self, call: PlannedCall) -> list[Clause]:
        """The clauses that are about a call."""
        own = self.class_of(call.owner, call.project, call.data_class)
        classes = frozenset(self.data_classes[: self.data_classes.index(own) + 1]) if own else frozenset[str]()
        return [clause for clause in self.clauses if clause.covers(call, classes)]


NO_CLAUSES = CallPolicy()


class PolicyRuling(StrEnum):
    ADMIT = "admit"
    REFUSE = "refuse"
    UNDECIDED = "undecided"
    """What a clause limits is not known of this call."""


class PolicyVerdict(NamedTuple):
    ruling: PolicyRuling
    clause: Clause | None = None
    """The one that decides."""
    limit: PolicyLimit | None = None

    @property
    def is_refusal(self) -> bool:
        return self.ruling is PolicyRuling.REFUSE

    @property
    def reason(self) -> str:
        """For whoever called, without a word of the call."""
        if self.clause is None or self.limit is None:
            return ""
        return f"the clause '{self.clause.name}' of the policy {_WHY[self.limit](self.clause)}"


ADMITTED = PolicyVerdict(PolicyRuling.ADMIT)


def decide_policy(policy: CallPolicy, call: PlannedCall) -> PolicyVerdict:
    """What the policy says of a call: refused by the first clause that it breaks; undecided, where none refuses it and
    one limits what nobody knows of it.
    """
    undecided: PolicyVerdict | None = None
    for clause in policy.covering(call):
        for limit, fits in _checks(clause, call):
            if fits is False:
                return PolicyVerdict(PolicyRuling.REFUSE, clause, limit)
            if fits is None and undecided is None:
                undecided = PolicyVerdict(PolicyRuling.UNDECIDED, clause, limit)
    return undecided or ADMITTED


def _checks(clause: Clause, call: PlannedCall) -> Iterable[tuple[PolicyLimit, bool | None]]:
    """Each limit of a clause, and whether the call is within; None: nobody knows."""
    model = call.model
    if model is not None:
        if clause.models is not None:
            yield PolicyLimit.MODELS, any(fits_model(pattern, model) for pattern in clause.models)
        if clause.not_models:
            yield PolicyLimit.NOT_MODELS, not any(fits_model(pattern, model) for pattern in clause.not_models)
    for limit, allowed, value in (
        (PolicyLimit.PROVIDERS, clause.providers, call.provider),
        (PolicyLimit.REGIONS, clause.regions, call.region),
    ):
        if allowed is not None:
            yield limit, None if value is None else value in allowed
    if clause.most_effort:
        known = call.effort is not None
        yield PolicyLimit.EFFORT, _rank(call.effort or "") <= _rank(clause.most_effort) if known else None
    yield PolicyLimit.THINKING, _within(clause.most_thinking_tokens, call.thinking_tokens)
    yield PolicyLimit.PROMPT, _within(clause.most_prompt_tokens, call.prompt_tokens)
    if clause.most_output_tokens is not None and model is not None:
        bound = call.most_output_tokens
        fits = bound is not None and bound <= clause.most_output_tokens
        # What was written within the limit may have been allowed more.
        yield PolicyLimit.OUTPUT, None if fits and call.is_past else fits


def highest_effort(efforts: Iterable[str]) -> str:
    """The one that stands above the others; empty where there is none."""
    return max(efforts, key=_rank, default="")


def _within(most: int | None, value: int | None) -> bool | None:
    if most is None:
        return True
    return None if value is None else value <= most


def _rank(effort: str) -> int:
    """Where an effort stands; none named is the provider's own choice. A word that nobody knows is above all."""
    if not effort:
        return -1
    return EFFORTS.index(effort) if effort in EFFORTS else _UNREADABLE_EFFORT


def _names(names: tuple[str, ...] | None) -> str:
    return ", ".join(names) if names else "none at all"


_WHY = {
    PolicyLimit.MODELS: lambda one: f"does not allow this model; it allows {_names(one.models)}",
    PolicyLimit.NOT_MODELS: lambda one: f"forbids this model; it forbids {_names(one.not_models)}",
    PolicyLimit.PROVIDERS: lambda one: f"does not allow this model's provider; it allows {_names(one.providers)}",
    PolicyLimit.REGIONS: lambda one: f"does not allow this model's region; it allows {_names(one.regions)}",
    PolicyLimit.EFFORT: lambda one: f"allows a reasoning effort of {one.most_effort} at most",
    PolicyLimit.THINKING: lambda one: f"allows {number_of(one.most_thinking_tokens, 'token')} of thinking at most",
    PolicyLimit.PROMPT: lambda one: f"allows {one.most_prompt_tokens:,} prompt tokens at most",
    PolicyLimit.OUTPUT: lambda one: (
        f"wants a bound of at most {number_of(one.most_output_tokens, 'token')} on the reply"
    ),
}
