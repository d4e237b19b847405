"""The nouns that flow through every room. This package imports nothing of ours.

A `Call` is one request to a model and its reply, as a door saw it. Booking adds the price and makes it an `Entry`,
which is what the ledger keeps.
"""

from modicum.calls.anatomy import (
    Anatomy,
    BookedShortening,
    PromptEvent,
    Reuse,
    Segment,
    SegmentKind,
    Shortening,
)
from modicum.calls.audit_event import AuditEvent
from modicum.calls.basis import Basis
from modicum.calls.call import FAILED_ATTEMPT, OURSELVES, Call, CallStatus, Owner, Tier
from modicum.calls.charges import NO_CHARGES, ChargedUnit, Charges, OtherModel
from modicum.calls.cost import BucketCosts, Cost
from modicum.calls.edit import Edit
from modicum.calls.energy_window import EnergyWindow
from modicum.calls.entry import Entry
from modicum.calls.errors import UserError
from modicum.calls.outcome import Outcome
from modicum.calls.problem import Problem
from modicum.calls.usage import BUCKETS, Usage

__all__ = [
    "BUCKETS",
    "FAILED_ATTEMPT",
    "NO_CHARGES",
    "OURSELVES",
    "Anatomy",
    "AuditEvent",
    "Basis",
    "BookedShortening",
    "BucketCosts",
    "Call",
    "CallStatus",
    "ChargedUnit",
    "Charges",
    "Cost",
    "Edit",
    "EnergyWindow",
    "Entry",
    "OtherModel",
    "Outcome",
    "Owner",
    "Problem",
    "PromptEvent",
    "Reuse",
    "Segment",
    "SegmentKind",
    "Shortening",
    "Tier",
    "Usage",
    "UserError",
]
