"""Kinds of waste, one file each, holding `find(history) -> Finding`. To add a kind is to add a file and its line."""

from functools import cache
from importlib import import_module

from modicum.insights.finding import Detector

FINDINGS = {
    "failed_calls": "A1",
    "duplicate_requests": "A2",
    "uncached_prefix": "B1",
    "prefix_break": "B2",
    "ttl_expiry": "B3",
    "unread_writes": "B4",
    "duplicate_context": "C1",
    "reread_files": "C2",
    "unread_results": "C3",
    "carried_results": "C4",
    "unused_tools": "D1",
    "fixed_overhead": "D2",
    "loops": "E1",
    "failed_tools": "E2",
    "cost_of_failure": "E3",
    "oversized_models": "F1",
    "excess_output": "F2",
    "wrong_lane": "F3",
    "idle_commitments": "F4",
}
"""Every finding with its id, in the order in which marginal savings are counted: what was never needed first, what may
have been last."""


@cache
def load_detector(name: str) -> Detector:
    """The finding of that name, loaded when it is first asked for.

    Raises:
        KeyError: there is none.
    """
    if name not in FINDINGS:
        raise KeyError(name)
    found: Detector = import_module(f"modicum.insights.findings.{name}").find
    return found
